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

"""What the dense engine remembers for each population, as tensors."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from snn_perception.neurons import Neuron
from snn_perception.synapses import Synapse


class PopulationState(NamedTuple):
    """What the neurons of one population remember.

    filters: the values of the synapse, (order, batch, height, width, channels).
    neuron: the state of the neurons, (batch, height, width, channels) each; see `Neuron.names`.
    """

    filters: Tensor
    neuron: tuple[Tensor, ...]

    @classmethod
    def rest(
        cls, shape: tuple[int, ...], synapse: Synapse, neuron: Neuron, like: Tensor
    ) -> PopulationState:
        """Neurons of `shape` at rest, with the dtype and device of `like`."""
        filters = like.new_zeros(synapse.order, *shape)
        state = map(like.new_tensor, neuron.rest(shape[1:]))
        return cls(filters, tuple(values.expand(shape).clone() for values in state))

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All tensors of the state."""
        return self.filters, *self.neuron

    def clone(self) -> PopulationState:
        """A copy with tensors of its own."""
        return PopulationState(
            self.filters.clone(), tuple(values.clone() for values in self.neuron)
        )


Memory = list[PopulationState]
