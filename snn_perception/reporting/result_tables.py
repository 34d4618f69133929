"""Tables of what was measured: the layers of two networks, and damaged images."""

from __future__ import annotations

from snn_perception.evaluation.agreement import LayerAgreement, layer_name
from snn_perception.evaluation.robustness import Condition
from snn_perception.model import Model
from snn_perception.reporting.tables import Table


def layer_table(model: Model, layers: list[LayerAgreement], expected: str, found: str) -> Table:
    """A head, then a row for each layer; `expected` and `found` name the two networks."""
    head = ('layer', expected, found, 'difference per neuron', 'correlation')
    rows = [
        (
            layer_name(model.network, index),
            f'{layer.expected:.1f} Hz',
            f'{layer.found:.1f} Hz',
            f'{layer.error:.1f} Hz',
            f'{layer.correlation:.3f}',
        )
        for index, layer in enumerate(layers)
    ]
    return [head, *rows]


def damage_table(conditions: list[Condition]) -> Table:
    """A head, then a row for each condition."""
    head = ('images', 'accuracy on spikes', 'of the rate network', 'mean simulated time')
    rows = [
        (
            condition.damage,
            f'{100 * condition.evaluation.accuracy:.1f} %',
            f'{100 * condition.evaluation.rate_accuracy:.1f} %',
            f'{1000 * condition.simulated_time:.1f} ms',
        )
        for condition in conditions
    ]
    return [head, *rows]
