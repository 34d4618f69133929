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

from numpy.typing import NDArray

from snn_perception.activity import Activity
from snn_perception.decision import Classifier
from snn_perception.inputs import check_inputs, with_mirrored
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
    def advance(self, memory: Any, inputs: NDArray, steps: int) -> Activity:
        """The same as `run`, without its checks; advances `memory` in place."""

    def reset(self, batch: int = 1) -> State:
        """The state of a network at rest for `batch` inputs; raises ValueError below 1 input."""
        if batch < 1:
            raise ValueError(f'batch must be at least 1, not {batch}')
        return State(self.name, self.model, batch, self.rest(batch * self.views))

    def run(self, state: State, inputs: NDArray, steps: int) -> Activity:
        """Show prepared images, or counts of events, for `steps` time steps; see `inputs`.

        Advances `state`. Raises ValueError, before anything is changed, for the state of another
        engine or model, for inputs that do not fit the network, the state or the steps, images
        that are not finite floats, events that are not uint8, and for `steps` < 1.
        """
        if state.engine != self.name or state.model is not self.model:
            raise ValueError(
                f'the state is of model {state.model.name} on backend {state.engine}, and cannot '
                f'be advanced with model {self.model.name} on backend {self.name}'
            )
        if steps < 1:
            raise ValueError(f'steps must be at least 1, not {steps}')
        check_inputs(self.model.network, inputs, state.batch, steps)
        state.steps += steps
        if self.views == 1:
            activity = self.advance(state.memory, inputs, steps)
        else:
            both = with_mirrored(inputs)
            activity = self.advance(state.memory, both, steps).merged(self.views)
        return activity.divided(self.model.classes)

    def layer_done(self, index: int) -> None:
        """Tell `on_layer` that population `index` is done."""
        if self.on_layer is not None:
            self.on_layer(index)
