"""The sparse engine: on the CPU, with work proportional to the spikes.

Layer-wise in time: a layer runs through all steps before the next one does, which in networks
without feedback changes no spike. A neuron's state stays in the first-level cache meanwhile.
`event_kernels` explains how spikes get from layer to layer.
"""

from __future__ import annotations

import math
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from snn_perception.backends import event_kernels
from snn_perception.backends.base import Activity, Simulator, check_run
from snn_perception.backends.event_kernels import Layer, Neurons, SpikeLists, Window
from snn_perception.backends.kernels import LONGEST_SHORT_STEP
from snn_perception.backends.reference import apply_stage
from snn_perception.model import Model
from snn_perception.network import Convolution, Stage
from snn_perception.neurons import LIF
from snn_perception.synapses import Synapse
from snn_perception.threads import default_threads, in_parallel

WIDTHS = (64, 32, 16)
"""Channels of a block: powers of two, which LLVM has registers for, and bits of one word."""

COST_OF_A_BLOCK = 16
"""What a block costs beside its channels, in channels; measured."""

PRECISIONS = ('float32', 'bfloat16', 'int8')


class State:
    """What a batch of networks remembers: the neurons of each weighted layer."""

    def __init__(self, model: Model, batch: int, neurons: list[Neurons]) -> None:
        self.model = model
        self.batch = batch
        self.neurons = neurons


class EventSimulator(Simulator):
    """The model on the CPU, in `threads` threads (0: see `default_threads`).

    Neurons are float32; `precision` is that of the weights between them, one of PRECISIONS.
    Not for two threads at the same time. Raises ValueError for a device other than the CPU,
    a network without neurons, and a time step too long for the series of
    `vectors.step_neurons`.
    """

    name: ClassVar[str] = 'event'

    options: ClassVar[frozenset[str]] = frozenset({'threads', 'precision'})

    def __init__(
        self, model: Model, device: str = 'auto', threads: int = 0, precision: str = 'float32'
    ) -> None:
        if device not in ('auto', 'cpu'):
            raise ValueError(
                f'backend event runs on cpu, not on {device}; use backend torch there'
            )
        super().__init__(model, 'cpu')
        neuron = model.network.neuron
        if model.dt > LONGEST_SHORT_STEP * neuron.tau_rc:
            raise ValueError(
                f'backend event takes steps of at most a quarter of tau_rc, which is '
                f'{LONGEST_SHORT_STEP * neuron.tau_rc} s here, not {model.dt} s; use backend torch'
            )
        if model.network.neurons == 0:
            raise ValueError('backend event needs a layer of neurons before the readout')
        if precision not in PRECISIONS:
            raise ValueError(
                f'precision must be one of {", ".join(PRECISIONS)}, not {precision!r}'
            )
        if threads < 0:
            raise ValueError(f'threads must be 0 or more, not {threads}')
        self.threads = threads or default_threads()
        self.layers = _place_layers(model, precision)
        self._buffers: tuple[tuple[int, int], list[SpikeLists]] = ((0, 0), [])

    def reset(self, batch: int = 1) -> State:
        """See `Simulator.reset`."""
        neurons = []
        for layer in self.layers:
            size = batch * layer.height * layer.width * layer.bias.size
            filters = np.zeros(len(layer.orders) * size, np.float32)
            neurons.append(
                Neurons(filters, np.zeros(size, np.float32), np.zeros(size, np.float32))
            )
        return State(self.model, batch, neurons)

    def run(self, state: State, images: NDArray[np.float32], steps: int) -> Activity:
        """See `Simulator.run`; raises ValueError for the state of another model too."""
        if state.model is not self.model:
            raise ValueError(f'the state is of another model, {state.model.name}')
        check_run(self.model, state.batch, images, steps)
        stages = self.model.network.stages
        counts = np.zeros((3, state.batch, len(stages)), np.int64)
        steady = self._steady_currents(images)
        source = SpikeLists(np.zeros((state.batch, 1, 1, 1), np.int64), np.zeros(0, np.int32))
        targets = self._lists(state.batch, steps)
        for index, (layer, target) in enumerate(zip(self.layers, targets, strict=False)):
            groups = math.ceil(layer.height / layer.pool)
            totals = np.zeros((state.batch, groups, 2), np.int64)
            fan_out = stages[index + 1].fan_out
            arguments = layer, steady, source, state.neurons[index], fan_out, target, totals
            work = partial(event_kernels.run_rows, *arguments)
            in_parallel(work, state.batch * groups, self.threads, smallest_share=1)
            counts[0, :, index], counts[1, :, index + 1] = totals.sum(axis=1).T
            counts[2, :, index] = steps * stages[index].neurons
            steady, source = np.zeros(0, np.float32), target
        return Activity(self._outputs(state, source, steps), *counts)

    def _steady_currents(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Currents of the first layer, which the image causes, padded and flat."""
        layer, stage = self.layers[0], self.model.network.stages[0]
        sums = apply_stage(stage, self.model.weights[0].kernel, images.astype(np.float32))
        steady = np.zeros((*sums.shape[:3], layer.bias.size), np.float32)
        steady[..., : sums.shape[3]] = sums
        return steady.reshape(-1)

    def _lists(self, batch: int, steps: int) -> list[SpikeLists]:
        """Room for the spikes that go into each layer but the first; kept from run to run."""
        if self._buffers[0] != (batch, steps):
            lists = []
            for layer, stage in zip(self.layers[1:], self.model.network.stages[1:], strict=True):
                height, width, _ = stage.input_shape
                # Memory that no spike is written to is never taken from the system.
                room = steps * width * _pool_size(stage) ** 2 * layer.window.inputs
                starts = np.zeros((batch, height, steps, width + 1), np.int64)
                starts[:, :, 0, 0] = room * np.arange(batch * height).reshape(batch, height)
                lists.append(SpikeLists(starts, np.empty(batch * height * room, np.int32)))
            self._buffers = ((batch, steps), lists)
        return self._buffers[1]

    def _outputs(self, state: State, source: SpikeLists, steps: int) -> NDArray[np.float32]:
        """Outputs (steps, batch, classes) of the readout."""
        layer, network = self.layers[-1], self.model.network
        sums = np.zeros((steps, state.batch, layer.bias.size), np.float32)
        work = partial(event_kernels.run_readout, layer, source, sums)
        in_parallel(work, state.batch, self.threads, smallest_share=1)
        synapse = network.synapse_of(len(network.stages) - 1)
        filters = state.neurons[-1].filters.reshape(synapse.order, *sums.shape[1:])
        outputs = np.empty_like(sums)
        for step in range(steps):
            outputs[step] = synapse.step(sums[step], filters, self.model.dt)
        return (outputs + layer.bias)[:, :, : network.classes]


def _place_layers(model: Model, precision: str) -> list[Layer]:
    """The weighted layers of `model`, each padded to whole blocks.

    The readout keeps its weights in float32: it is small, and its outputs are compared.
    """
    network = model.network
    layers: list[Layer] = []
    for index, stage in enumerate(network.stages):
        channels = stage.output_shape[2]
        width = min(WIDTHS, key=partial(_cost, channels))
        blocks = math.ceil(channels / width)
        weights, synapse = model.weights[index], network.synapse_of(index)
        bias = np.zeros(blocks * width, np.float32)
        bias[:channels] = weights.bias
        window = Window(0, 0, 1, 0, 0)
        rows, zeros = np.zeros(0, np.float32), np.zeros(width, np.float32)
        scales = np.ones_like(bias)
        if index:
            window = _window(stage, layers[-1].bias.size)
            # A spike counts 1 / dt in Hz, and in a pooled map one over the size of the pool.
            scale = 1 / (model.dt * _pool_size(stage) ** 2)
            rows = _pad_rows(weights.kernel * scale, window, blocks, width)
            if not stage.is_readout:
                rows, zeros, scales = _quantise(rows, zeros, blocks, precision)
        height, columns, _ = stage.output_shape
        pool = 1 if stage.is_readout else _pool_size(network.stages[index + 1])
        constants = _constants(network.neuron, synapse, model.dt)
        lanes, orders = (0,) * width, (0,) * synapse.order
        layers.append(
            Layer(
                lanes=lanes,
                orders=orders,
                height=height,
                width=columns,
                blocks=blocks,
                pool=pool,
                window=window,
                weights=rows,
                zeros=zeros,
                scales=scales,
                bias=bias,
                constants=constants,
            )
        )
    return layers


def _cost(channels: int, width: int) -> int:
    """Cost of `channels` in blocks of `width`, in channels."""
    return math.ceil(channels / width) * (width + COST_OF_A_BLOCK)


def _pool_size(stage: Stage) -> int:
    """Side of the poolings in front of `stage`, taken as one."""
    return math.prod(pooling.size for pooling in stage.pooling)


def _window(stage: Stage, inputs: int) -> Window:
    """The window of `stage` on a map of `inputs` padded channels."""
    layer = stage.layer
    if isinstance(layer, Convolution):
        return Window(layer.kernel, layer.kernel, layer.stride, layer.padding, inputs)
    return Window(*stage.input_shape[:2], 1, 0, inputs)


def _pad_rows(
    kernel: NDArray[np.float32], window: Window, blocks: int, width: int
) -> NDArray[np.float32]:
    """Weights in the order and with the padding that `event_kernels` wants, flat."""
    kernel = kernel.reshape(window.rows, window.columns, -1, kernel.shape[-1])
    _, _, inputs, channels = kernel.shape
    padded = np.zeros((*kernel.shape[:2], window.inputs, blocks * width), np.float32)
    padded[:, :, :inputs, :channels] = kernel
    rows = padded.reshape(*padded.shape[:3], blocks, width)
    return np.ascontiguousarray(np.moveaxis(rows, 3, 0)).reshape(-1)


def _quantise(
    rows: NDArray[np.float32], zeros: NDArray[np.float32], blocks: int, precision: str
) -> tuple[NDArray, NDArray, NDArray[np.float32]]:
    """Weights from `_pad_rows` in `precision`, zeros of the type of their sums, and scales.

    bfloat16 is rounded to the nearest; int8 has one scale per channel, so that its largest
    weight is 127.
    """
    ones = np.ones(blocks * zeros.size, np.float32)
    if precision == 'bfloat16':
        bits = rows.view(np.uint32)
        rounding = np.uint32(0x7FFF) + ((bits >> 16) & 1)
        return ((bits + rounding) >> 16).astype(np.uint16), zeros, ones
    if precision == 'int8':
        by_channel = rows.reshape(blocks, -1, zeros.size)
        scales = np.abs(by_channel).max(axis=1) / 127
        scales = np.where(scales > 0, scales, 1).astype(np.float32)
        whole = np.rint(by_channel / scales[:, None]).astype(np.int8)
        return whole.reshape(-1), zeros.astype(np.int32), scales.reshape(-1)
    return rows, zeros, ones


def _constants(neuron: LIF, synapse: Synapse, dt: float) -> NDArray[np.float32]:
    """The constants of `vectors.step_neurons`."""
    decay = synapse.decay(dt)
    # A potential comes from below 1 in at most dt, so that it overshoots by at most this.
    overshoot = -math.expm1(-dt / neuron.tau_rc)
    times = (-1 / neuron.tau_rc, neuron.tau_ref, dt, 2 * neuron.tau_rc)
    return np.array((decay, 1 - decay, *times, overshoot / (2 - overshoot)), np.float32)
