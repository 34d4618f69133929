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

"""Which neurons spiked when, while one image, or one recording of events, was shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snn_perception.backends.reference import ReferenceSimulator
from snn_perception.evaluation.trajectories import schedule_of, scores_over_time
from snn_perception.inputs import part_of
from snn_perception.model import Model

SAMPLE = 30


@dataclass(frozen=True)
class Raster:
    """One presentation step by step; layers are the layers of neurons, without the readout.

    spikes: bool (steps, sample) for each layer, a sample of its neurons in memory order.
    counts: int64 (steps, layers), the spikes of all neurons.
    scores: float32 (times, classes), see `scores_over_time`.
    """

    spikes: tuple[NDArray[np.bool_], ...]
    counts: NDArray[np.int64]
    scores: NDArray[np.float32]


def record_raster(model: Model, shown: NDArray, sample: int = SAMPLE) -> Raster:
    """Show a prepared image (height, width, channels) for the whole presentation.

    Of events it is all that the presentation has, (steps, height, width, 2). If the model also
    sees the mirror image, the spikes are the ones for the image itself. Runs
    on the reference engine, the one that exposes its spikes. At most `sample` neurons of a layer
    are recorded, chosen at random but always the same ones.
    """
    simulator = ReferenceSimulator(model)
    views = np.stack([shown, shown[..., ::-1, :]][: simulator.views], axis=-4)
    memory = simulator.rest(simulator.views)
    random = np.random.default_rng(0)
    hidden = [population.neurons for population in model.network.populations[:-1]]
    chosen = [np.sort(random.permutation(size)[:sample]) for size in hidden]
    rows, counts, outputs = [], [], []
    for step in range(schedule_of(model).total):
        given = part_of(views, step, 1).reshape(-1, *model.network.input_shape)
        spiked, output = simulator.step(memory, given)
        rows.append([layer[0].ravel()[some] for layer, some in zip(spiked, chosen, strict=True)])
        counts.append([int(layer[0].sum()) for layer in spiked])
        outputs.append(output[:, : model.classes].mean(axis=0, keepdims=True))
    spikes = tuple(np.stack(layer) for layer in zip(*rows, strict=True))
    scores = scores_over_time(model, np.stack(outputs))[:, 0]
    return Raster(spikes, np.array(counts, np.int64).reshape(len(rows), -1), scores)
