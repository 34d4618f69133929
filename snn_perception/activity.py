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

"""What a network did: its outputs, and counts of its spikes and of the work that they caused."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


@dataclass
class Activity:
    """What a network did over a run, per image of the batch and population.

    outputs: (steps, batch, classes) float32, the output of the readout after each step.
    spikes, synaptic_operations, neuron_updates: int64 (batch, layers), the spikes that a layer
    fired, the synaptic operations that arriving spikes caused in it, the updates of its neurons.
    directions: float32 (steps, batch, directions), further outputs, see `unknown`. From
    `Simulator.advance` they are still the last ones of `outputs`.
    """

    outputs: NDArray
    spikes: Counts
    synaptic_operations: Counts
    neuron_updates: Counts
    directions: NDArray | None = None

    @property
    def counts(self) -> Counts:
        """The three counts in the order of `LayerActivity`: int64 (3, batch, layers)."""
        return np.stack([self.spikes, self.synaptic_operations, self.neuron_updates])

    def merged(self, views: int) -> Activity:
        """Activity per image, from a batch that holds every image once for each of `views` views.

        The batch holds all images in the first view, then all in the next. Outputs are averaged
        over the views, counts are summed.
        """
        outputs = self.outputs.reshape(len(self.outputs), views, -1, self.outputs.shape[2])
        layers = self.spikes.shape[1]
        sums = self.counts.reshape(3, views, -1, layers).sum(axis=1)
        return Activity(outputs.mean(axis=1), *sums)

    def divided(self, classes: int) -> Activity:
        """The same with only the first outputs as `outputs`, and the others as `directions`."""
        return replace(
            self, outputs=self.outputs[..., :classes], directions=self.outputs[..., classes:]
        )


@dataclass(frozen=True)
class LayerActivity:
    """The activity that led to one decision, int64 (layers,) each; see `Activity`."""

    spikes: Counts
    synaptic_operations: Counts
    neuron_updates: Counts
