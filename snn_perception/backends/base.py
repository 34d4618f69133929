"""What every engine offers: explicit state, a run over time steps, and a decision.

An engine implements `rest` and `advance`; all the rest is the same for all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from snn_perception.backends.loihi.mapping import Placement, place
from snn_perception.images import prepare
from snn_perception.model import Model
from snn_perception.readout import Schedule

Counts = NDArray[np.int64]


class Interrupted(Exception):
    """A classification was given up because its caller asked for that."""


@dataclass
class Activity:
    """What a network did over a run, per image of the batch and weighted layer.

    outputs: (steps, batch, classes) float32, the output of the readout after each step.
    spikes, synaptic_operations, neuron_updates: int64 (batch, layers): spikes a layer fired,
    synaptic operations that spikes caused in it, updates of its neurons.
    """

    outputs: NDArray
    spikes: Counts
    synaptic_operations: Counts
    neuron_updates: Counts

    def merged(self, views: int) -> Activity:
        """Of a batch of `views` views of each image, one after the other: activity per image.

        Outputs are the mean over the views, counts are sums.
        """
        outputs = self.outputs.reshape(len(self.outputs), views, -1, self.outputs.shape[2])
        counts = (self.spikes, self.synaptic_operations, self.neuron_updates)
        sums = (count.reshape(views, -1, count.shape[1]).sum(axis=0) for count in counts)
        return Activity(outputs.mean(axis=1), *sums)


@dataclass(frozen=True)
class LayerActivity:
    """The activity behind one decision, int64 (layers,) each; see `Activity`."""

    spikes: Counts
    synaptic_operations: Counts
    neuron_updates: Counts


@dataclass(frozen=True)
class Decision:
    """The answer to one image and what it cost.

    `scores` (classes,) float32 sum to 1; `simulated_time` is in s; `macs` are the
    multiply-accumulates done once per image (those of the analog first layer in a spiking
    network); `firing_rate` is the mean over all `neurons` in Hz. `chips` is the number of chips
    that the neurons take, where a mapping onto a chip says so, by the name of the chip.
    """

    label: str
    score: float
    scores: NDArray[np.float32]
    simulated_time: float
    activity: LayerActivity
    macs: int
    neurons: int
    firing_rate: float
    chips: Mapping[str, int]


@dataclass
class State:
    """What a batch of networks remembers on an engine; `memory` is that engine's own."""

    engine: str
    model: Model
    batch: int
    memory: Any


class Simulator(ABC):
    """A model on an engine. Subclasses are made by `create_simulator`.

    They implement `rest` and `advance`, which know nothing of views: with two of them the batch
    that they get is twice as large. `options` are those of `create_simulator` that the
    engine has. `on_layer` is called with the index of a weighted layer whenever a run is done
    with it, for those who measure; it may slow the engine down a little.
    """

    name: ClassVar[str]
    options: ClassVar[frozenset[str]] = frozenset()
    on_layer: Callable[[int], None] | None = None

    def __init__(self, model: Model, device: str) -> None:
        self.model = model
        self.device = device

    @abstractmethod
    def rest(self, batch: int) -> Any:
        """The memory of a state at rest."""

    @abstractmethod
    def advance(self, memory: Any, images: NDArray[np.float32], steps: int) -> Activity:
        """`run` without its checks; advances `memory` in place."""

    def reset(self, batch: int = 1) -> State:
        """State of a network at rest for `batch` images; raises ValueError if that is below 1."""
        if batch < 1:
            raise ValueError(f'batch must be at least 1, not {batch}')
        return State(self.name, self.model, batch, self.rest(batch * self.views))

    def run(self, state: State, images: NDArray[np.float32], steps: int) -> Activity:
        """Show prepared `images` (batch, height, width, channels) for `steps` time steps.

        Advances `state`. Raises ValueError, before anything is done, for the state of another
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
        if self.views == 1:
            return self.advance(state.memory, images, steps)
        both = np.concatenate([images, images[:, :, ::-1]])
        return self.advance(state.memory, both, steps).merged(self.views)

    @property
    def views(self) -> int:
        """How many views of an image are shown at once, each to neurons of its own."""
        return self.model.readout.views

    @cached_property
    def placement(self) -> Placement:
        """Where the neurons of all views would be on Loihi chips, or why they do not fit."""
        return place(self.model.network, self.views)

    @property
    def chips(self) -> dict[str, int]:
        """See `Decision`."""
        return {} if self.placement.excess else {'loihi': self.placement.chips}

    def decision(self, scores: NDArray[np.float32], steps: int, counts: Counts) -> Decision:
        """The answer after `steps` steps with `scores` (classes,); see `Decision`.

        `counts` int64 (3, layers) are those of `LayerActivity`, in its order.
        """
        model = self.model
        neurons = model.network.neurons * self.views
        macs = self.macs_per_image * self.views
        best = int(scores.argmax())
        time = float(steps * model.dt)
        activity = LayerActivity(*counts)
        rate = float(activity.spikes.sum() / (neurons * time)) if neurons else 0.0
        label, score = model.labels[best], float(scores[best])
        return Decision(label, score, scores, time, activity, macs, neurons, rate, self.chips)

    def layer_done(self, index: int) -> None:
        """Tell `on_layer` that weighted layer `index` is done."""
        if self.on_layer is not None:
            self.on_layer(index)

    @property
    def macs_per_image(self) -> int:
        """Multiply-accumulates done once per view of an image: the analog first layer."""
        return self.model.network.stages[0].macs

    def classify(
        self,
        image: NDArray[np.uint8],
        state: State | None = None,
        presentation_time: float | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Decision:
        """Decide on one camera image, uint8 RGB (height, width, 3) or grey (height, width).

        Without `state` the network starts at rest; with one (from `reset()`) it goes on from
        there, every output counts as evidence, and the state is advanced. `presentation_time`
        (s) replaces the model's own. `stop` is asked between chunks of the simulation;
        Interrupted is raised when it returns True. Raises ValueError for a bad image.
        """
        inputs = prepare(image, self.model.preprocessing)[None]
        return self.classify_batch(inputs, state, presentation_time, stop)[0]

    def classify_batch(
        self,
        inputs: NDArray[np.float32],
        state: State | None = None,
        presentation_time: float | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> list[Decision]:
        """Decide on prepared images (batch, height, width, channels); see `classify`."""
        readout = self.model.readout
        if presentation_time is not None:
            start_time = min(readout.start_time, 0.5 * presentation_time)
            readout = replace(readout, presentation_time=presentation_time, start_time=start_time)
        if state is None:
            state = self.reset(len(inputs))
        else:
            readout = replace(readout, start_time=0.0)
        schedule = Schedule.of(readout, self.model.dt)
        batch = _Batch(self, len(inputs))
        for steps, activity in self.present(inputs, state, schedule, stop):
            evidence_steps = steps - schedule.discarded
            batch.add(activity, is_evidence=evidence_steps > 0)
            if evidence_steps > 0:
                duration = evidence_steps * self.model.dt
                scores = readout.scores(batch.evidence / evidence_steps, duration)
                is_last = steps == schedule.total
                batch.decide(scores, steps, is_last | readout.is_confident(scores))
            if batch.all_decided:
                break
        return batch.decisions()

    def present(
        self,
        inputs: NDArray[np.float32],
        state: State,
        schedule: Schedule,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[tuple[int, Activity]]:
        """Show prepared images chunk by chunk of `schedule`, advancing `state`.

        Yields the steps done and the activity of the last chunk; for `stop` see `classify`.
        """
        steps = 0
        for chunk in schedule.chunks():
            if stop is not None and stop():
                raise Interrupted
            activity = self.run(state, inputs, chunk)
            steps += chunk
            yield steps, activity


class _Batch:
    """Bookkeeping of a batch: counts and evidence up to each image's own decision."""

    def __init__(self, simulator: Simulator, size: int) -> None:
        network = simulator.model.network
        self.simulator = simulator
        self.evidence = np.zeros((size, network.classes))
        self.scores = np.zeros((size, network.classes), np.float32)
        self.steps = np.zeros(size, np.int64)
        self.counts = np.zeros((3, size, len(network.stages)), np.int64)

    @property
    def all_decided(self) -> bool:
        return bool(self.steps.all())

    def add(self, activity: Activity, is_evidence: bool) -> None:
        """Count `activity` for the images that are not decided yet."""
        undecided = self.steps == 0
        for total, count in zip(
            self.counts,
            (activity.spikes, activity.synaptic_operations, activity.neuron_updates),
            strict=True,
        ):
            total[undecided] += count[undecided]
        if is_evidence:
            self.evidence += activity.outputs.sum(axis=0, dtype=np.float64)

    def decide(self, scores: NDArray[np.float32], steps: int, final: NDArray[np.bool_]) -> None:
        """Fix the scores of the images in `final` (batch,) that are not decided yet."""
        fresh = final & (self.steps == 0)
        self.scores[fresh] = scores[fresh]
        self.steps[fresh] = steps

    def decisions(self) -> list[Decision]:
        """One decision per image."""
        counts = self.counts.swapaxes(0, 1)
        decide = self.simulator.decision
        return [decide(*parts) for parts in zip(self.scores, self.steps, counts, strict=True)]
