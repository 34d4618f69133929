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

"""What every engine offers: explicit state, and a run over time steps.

An engine implements `rest` and `advance`; decisions are reached in the same way on all engines,
see `decision`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from snn_perception.activity import Activity
from snn_perception.decision import Classifier
from snn_perception.model import Model


@dataclass
class State:
    """What a batch of networks remembers on an engine; each engine has its own `memory`.

    `steps` is how many time steps it has been advanced since it was at rest.
    """

    engine: str
    model: Model
    batch: int
    memory: Any
    steps: int = 0


class Simulator(Classifier):
    """A model on an engine; `create_simulator` makes one.

    Subclasses implement `rest` and `advance`, which know nothing of views: with two views they
    simply get a batch twice as large. `options` names the options of `create_simulator` that the
    engine supports. `takes_turns` tells whether it runs networks whose layers do so, see `turns`.
    `gains_by_batches` tells whether several images at once take less time than
    one after the other, though all wait for the slowest. For measurements, `on_layer` is called
    with the index of a population whenever a run has finished that layer; this may slow the
    engine down a little.
    """

    name: ClassVar[str]
    options: ClassVar[frozenset[str]] = frozenset()
    gains_by_batches: ClassVar[bool] = False
    takes_turns: ClassVar[bool] = False
    on_layer: Callable[[int], None] | None = None

    def __init__(self, model: Model, device: str) -> None:
        self.model = model
        self.device = device

    @abstractmethod
    def rest(self, batch: int) -> Any:
        """The memory of a state at rest, for a batch of `batch` networks."""

    @abstractmethod
    def advance(self, memory: Any, images: NDArray[np.float32], steps: int) -> Activity:
        """The same as `run`, without its checks; advances `memory` in place."""

    def reset(self, batch: int = 1) -> State:
        """The state of a network at rest for `batch` images; raises ValueError below 1 image."""
        if batch < 1:
            raise ValueError(f'batch must be at least 1, not {batch}')
        return State(self.name, self.model, batch, self.rest(batch * self.views))

    def run(self, state: State, images: NDArray[np.float32], steps: int) -> Activity:
        """Show prepared `images` (batch, height, width, channels) for `steps` time steps.

        Advances `state`. Raises ValueError, before anything is changed, for the state of another
        engine or model, for images that do not fit the network or the state or are not finite
        floats, and for `steps` < 1.
        """
        if state.engine != self.name or state.model is not self.model:
            raise ValueError(
                f'the state is of model {state.model.name} on backend {state.engine}, and cannot '
                f'be advanced with model {self.model.name} on backend {self.name}'
            )
        expected = (state.batch, *self.model.network.input_shape)
        if images.shape != expected:
            raise ValueError(
                f'images must have the shape {expected} of the state and the network, '
                f'not {images.shape}'
            )
        if images.dtype.kind != 'f' or not np.isfinite(images).all():
            raise ValueError(
                f'images must be finite float32 as images.prepare makes them, not {images.dtype} '
                f'between {images.min()} and {images.max()}'
            )
        if steps < 1:
            raise ValueError(f'steps must be at least 1, not {steps}')
        state.steps += steps
        if self.views == 1:
            activity = self.advance(state.memory, images, steps)
        else:
            both = np.concatenate([images, images[:, :, ::-1]])
            activity = self.advance(state.memory, both, steps).merged(self.views)
        return activity.divided(self.model.classes)

    def layer_done(self, index: int) -> None:
        """Tell `on_layer` that population `index` is done."""
        if self.on_layer is not None:
            self.on_layer(index)
