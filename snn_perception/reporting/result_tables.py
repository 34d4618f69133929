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
