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

"""Spiking neurons: each kind with its rate curve, its softened curve and its step in time."""

from __future__ import annotations

from snn_perception.neurons.base import Neuron, Softened, State
from snn_perception.neurons.integrate_and_fire import IF
from snn_perception.neurons.lif import LIF, AdaptiveLIF, as_lif
from snn_perception.neurons.theta import Theta

__all__ = [
    'IF',
    'LIF',
    'NEURON_TYPES',
    'AdaptiveLIF',
    'Neuron',
    'Softened',
    'State',
    'Theta',
    'as_lif',
]

NEURON_TYPES: dict[str, type[Neuron]] = {
    'lif': LIF,
    'adaptive_lif': AdaptiveLIF,
    'if': IF,
    'theta': Theta,
}
"""Kinds by their names in recipes and models."""
