# Copyright 2026 the snn_perception developers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""Tables of what was measured: the layers of two networks, and damaged images."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from snn_perception.evaluation import robustness
from snn_perception.evaluation.agreement import LayerAgreement, layer_name
from snn_perception.evaluation.robustness import Condition
from snn_perception.model import Model
from snn_perception.reporting.tables import Table

DAMAGE_NOTE = (
    f'every kind of damage at severity {robustness.SEVERITY} of 5. Kinds and severities are those '
    'of CIFAR-10-C and ImageNet-C (Hendrycks and Dietterich, "Benchmarking Neural Network '
    'Robustness to Common Corruptions and Perturbations", 2019), without frost and spatter, and '
    'two of our own: darkness, and camera, the path of light through one.'
)


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


def damage_table(conditions: list[Condition], seen: Collection[str] | None) -> Table:
    """A head, a row for each condition, and one for the mean of the damaged ones.

    A column says which kinds of damage are like what the images in training had, `seen`; there is
    none if that is not known.
    """
    head = ('images', 'accuracy on spikes', 'of the rate network', 'mean simulated time')
    damaged = [condition for condition in conditions if condition.damage]
    mean = {
        name: float(np.mean([condition.figures[name] for condition in damaged]))
        for name in robustness.FIGURES
    }
    rows = [
        *((condition.name, *_shown(condition.figures)) for condition in conditions),
        (f'mean of the {len(damaged)} kinds', *_shown(mean)),
    ]
    if seen is None:
        return [head, *rows]
    similar = [
        '' if condition.damage is None else 'similar' if condition.damage.kind in seen else 'never'
        for condition in conditions
    ]
    columns = zip([head, *rows], ['in training', *similar, ''], strict=True)
    return [(*row, cell) for row, cell in columns]


def _shown(figures: dict[str, float]) -> tuple[str, ...]:
    """The cells of `figures`, FIGURES of a condition."""
    return (
        f'{100 * figures["accuracy"]:.1f} %',
        f'{100 * figures["rate_accuracy"]:.1f} %',
        f'{1000 * figures["simulated_time_s"]:.1f} ms',
    )
