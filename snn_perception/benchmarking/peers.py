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

"""The same network in other spiking libraries, to compare engines with: `benchmark --peers`.

Each gets our weights, one image, the time step and the number of steps. The library provides the
neuron: a leaky integrator with our time constant and threshold and a reset to zero. It has no
refractory time (except in Nengo) and no synaptic filters, which would only slow it down.
Everything around the neuron is the fastest way we know in PyTorch: layer by layer, so that all
steps are one batch of a convolution; what comes from the image only once, as it does not change;
currents of several connections are summed before the neuron; no gradients. Each library is timed
in the fastest of SETTINGS. docs/engine.md describes the method.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.graph import IMAGE, Connection
from snn_perception.layers import Dense, Identity, Pair, Shape
from snn_perception.model import Model
from snn_perception.neurons import LIF, as_lif

ROUNDS = 15

Run = Callable[[NDArray[np.float32], int], NDArray]
"""From a prepared image (height, width, channels) and a number of steps to the mean output."""

SETTINGS = (
    ('float32', 'contiguous'),
    ('float32', 'channels_last'),
    ('bfloat16', 'contiguous'),
    ('bfloat16', 'channels_last'),
)
"""Data type and memory format of the convolutions; neurons are float32."""


def compare(model: Model, images: NDArray[np.float32], ours: dict[str, Run]) -> dict[str, Any]:
    """Milliseconds per presentation of `ours`, by name, and of all peers that are installed.

    In each of ROUNDS rounds, everyone is timed once on the same image of `images`, with all
    processors. The order is random, as each leaves its caches to the next. Figures are medians.
    `ratio` is the time of the fastest peer over the time of each of ours; `skipped` says why a
    peer is missing.
    """
    steps = round(model.presentation_time / model.dt)
    runs, skipped, chosen = dict(ours), {}, {}
    for name in PEERS:
        try:
            runs[name], chosen[name] = _fastest(name, model, images[0], steps)
        except (ImportError, ValueError) as reason:
            skipped[name] = str(reason)
    times: dict[str, list[float]] = {name: [] for name in runs}
    random = np.random.default_rng(0)
    for round_ in range(ROUNDS):
        for name in random.permutation(list(runs)):
            times[name].append(_seconds(runs[name], images[round_ % len(images)], steps))
    medians = {name: 1000 * float(np.median(values)) for name, values in times.items()}
    fastest = min((medians[name] for name in chosen), default=None)
    ratios = {name: fastest / medians[name] for name in ours} if fastest else {}
    return {'ms': medians, 'settings': chosen, 'ratio': ratios, 'skipped': skipped}


def _fastest(name: str, model: Model, image: NDArray[np.float32], steps: int) -> tuple[Run, str]:
    """The peer `name` in its fastest setting, by the best of four runs each, and that setting."""
    settings: Iterable[tuple[str, ...]] = [()] if name == 'nengo' else SETTINGS
    runs = {' '.join(setting): PEERS[name](model, *setting) for setting in settings}
    seconds = {
        setting: min(_seconds(run, image, steps) for _ in range(4))
        for setting, run in runs.items()
    }
    setting = min(seconds, key=seconds.__getitem__)
    return runs[setting], setting


def _seconds(run: Run, image: NDArray[np.float32], steps: int) -> float:
    started = time.perf_counter()
    run(image, steps)
    return time.perf_counter() - started


def _lif(model: Model) -> LIF:
    return as_lif(model.network.neuron, 'the comparison with other libraries')


def _snntorch(model: Model) -> Callable[[], Any]:
    import snntorch
    import torch

    beta = float(np.exp(-model.dt / _lif(model).tau_rc))

    def neurons() -> Any:
        leaky = snntorch.Leaky(beta=beta, threshold=1.0, reset_mechanism='zero')

        def forward(currents: Any) -> Any:
            potential = torch.zeros_like(currents[0])
            spikes = torch.empty_like(currents)
            for step, current in enumerate(currents):
                spikes[step], potential = leaky((1 - beta) * current, potential)
            return spikes

        return forward

    return neurons


def _spikingjelly(model: Model) -> Callable[[], Any]:
    from spikingjelly.activation_based import functional, neuron

    # Its decay per step is 1 / tau, where ours is 1 - exp(-dt / tau_rc).
    tau = float(1 / -np.expm1(-model.dt / _lif(model).tau_rc))

    def neurons() -> Any:
        lif = neuron.LIFNode(tau=tau, v_threshold=1.0, v_reset=0.0, step_mode='m')

        def forward(currents: Any) -> Any:
            functional.reset_net(lif)
            return lif(currents)

        return forward

    return neurons


def _norse(model: Model) -> Callable[[], Any]:
    import norse.torch as norse
    import torch

    parameters = norse.LIFBoxParameters(
        tau_mem_inv=torch.tensor(1 / _lif(model).tau_rc), v_th=torch.tensor(1.0)
    )

    def neurons() -> Any:
        lifted = norse.Lift(norse.LIFBoxCell(parameters, dt=model.dt))
        return lambda currents: lifted(currents)[0]

    return neurons


def _sinabs(model: Model) -> Callable[[], Any]:
    from sinabs import activation, layers

    tau = _lif(model).tau_rc / model.dt

    def neurons() -> Any:
        lif = layers.LIF(
            tau_mem=tau,
            spike_threshold=1.0,
            spike_fn=activation.SingleSpike,
            reset_fn=activation.MembraneReset(),
        )

        def forward(currents: Any) -> Any:
            lif.reset_states()
            return lif(currents[None])[0]

        return forward

    return neurons


def _in_pytorch(make: Callable[[Model], Callable[[], Any]]) -> Callable[..., Run]:
    """The whole network around the neurons that `make` makes."""

    def build_run(model: Model, dtype: str, memory: str) -> Run:
        import torch

        kind = getattr(torch, dtype)
        layout = {'channels_last': torch.channels_last, 'contiguous': torch.contiguous_format}
        place = {'dtype': kind, 'memory_format': layout[memory]}
        neurons, dropped = make(model), model.network.read_last
        layers: list[tuple[list[tuple[int, Any]], Any, Any]] = []
        for population, weights in zip(model.network.populations, model.weights, strict=True):
            sums = [
                (each.source, _weighted(each, kernel * _height(each, model), place))
                for each, kernel in model.connections(population.index)
            ]
            # All steps first: what comes from the image is one step, and is added to each of them.
            sums.sort(key=lambda each: each[0] == IMAGE)
            bias = torch.from_numpy(weights.bias)[:, None, None]
            layers.append((sums, bias, None if population.is_readout else neurons()))

        @torch.inference_mode()
        def run(image: NDArray[np.float32], steps: int) -> NDArray:
            pixels = torch.from_numpy(image.transpose(2, 0, 1).copy())[None]
            values = {IMAGE: pixels.to(**place)}
            for index, (sums, bias, spike) in enumerate(layers):
                (first, weighted), *others = sums
                currents = weighted(values[first]).float()
                for source, weighted in others:
                    currents += weighted(values[source])
                currents += bias
                for source in dropped[index]:
                    del values[source]
                if spike is not None:
                    spikes = spike(currents.expand(steps, *currents.shape[1:]))
                    values[index] = spikes.to(**place)
            return currents.mean(dim=(0, 2, 3)).numpy()

        return run

    return build_run


def _height(connection: Connection, model: Model) -> float:
    """What a spike counts in Hz, or a pixel."""
    return 1.0 if connection.source == IMAGE else 1 / model.dt


def _weighted(connection: Connection, kernel: NDArray[np.float32], place: dict[str, Any]) -> Any:
    """Weighted sums of values (steps, channels, height, width) in PyTorch.

    `kernel` is that of `Connection.convolution`, `place` the data type and memory format.
    """
    import torch
    import torch.nn.functional as F

    layer = connection.convolution
    weight = torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy()).to(**place)
    (top, bottom), (left, right) = layer.margins
    is_even = top == bottom and left == right
    padding = (top, left) if is_even else (0, 0)

    def forward(values: Any) -> Any:
        if connection.pooling != (1, 1):
            values = F.avg_pool2d(values, connection.pooling)
        if isinstance(connection.layer, Identity):
            return values * float(kernel.flat[0])
        if isinstance(connection.layer, Dense):
            return F.linear(values.flatten(1), weight.flatten(1))[:, :, None, None]
        if not is_even:
            values = F.pad(values, (left, right, top, bottom))
        return F.conv2d(values, weight, None, layer.strides, padding, groups=layer.groups)

    return forward


def _nengo(model: Model) -> Run:
    """The model in Nengo's reference simulator, whose LIF has the refractory time."""
    import nengo

    lif = nengo.LIF(tau_rc=_lif(model).tau_rc, tau_ref=_lif(model).tau_ref)
    shown: list[NDArray] = [np.zeros(int(np.prod(model.network.input_shape)))]
    network = nengo.Network(seed=0)
    network.config[nengo.Connection].synapse = None
    with network:
        places: dict[int, Any] = {IMAGE: nengo.Node(lambda _: shown[0], size_out=shown[0].size)}
        for population, weights in zip(model.network.populations, model.weights, strict=True):
            size = int(np.prod(population.output_shape))
            if population.is_readout:
                target: Any = nengo.Node(size_in=size)
            else:
                bias = np.tile(weights.bias, size // weights.bias.size)
                ensemble = nengo.Ensemble(size, 1, neuron_type=lif, gain=np.ones(size), bias=bias)
                target = ensemble.neurons
            for connection, kernel in model.connections(population.index):
                _connect_in_nengo(places[connection.source], target, connection, kernel)
            places[population.index] = target
        probe = nengo.Probe(target)
    simulator = nengo.Simulator(network, dt=model.dt, progress_bar=False)

    def run(image: NDArray[np.float32], steps: int) -> NDArray:
        shown[0] = image.reshape(-1)
        simulator.reset()
        simulator.run_steps(steps, progress_bar=False)
        return simulator.data[probe].mean(axis=0) + model.weights[-1].bias

    return run


def _connect_in_nengo(
    source: Any, target: Any, connection: Connection, kernel: NDArray[np.float32]
) -> None:
    """Add `connection` to the network; Nengo's spikes are 1 / dt high, as ours are."""
    import nengo

    layer, shape = connection.convolution, connection.input_shape
    (top, bottom), (left, right) = layer.margins
    height, width = layer.kernel_size
    # Nengo pads equally on both sides, so that the output is as large as the input, or not at all.
    is_same = layer.strides == (1, 1) and layer.margins == (
        ((height - 1) / 2,) * 2,
        ((width - 1) / 2,) * 2,
    )
    if not is_same:
        shape = (top + shape[0] + bottom, left + shape[1] + right, shape[2])
    if connection.pooling != (1, 1) or shape != connection.input_shape:
        matrix = _placing_matrix(connection, shape, (0, 0) if is_same else (top, left))
        placed = nengo.Node(size_in=matrix.shape[0])
        nengo.Connection(source, placed, transform=matrix)
        source = placed
    transform: Any
    if isinstance(connection.layer, Identity):
        transform = connection.layer.scale
    elif isinstance(connection.layer, Dense):
        transform = kernel.reshape(-1, kernel.shape[-1]).T
    else:
        transform = nengo.Convolution(
            layer.channels,
            shape,
            kernel_size=layer.kernel_size,
            strides=layer.strides,
            padding='same' if is_same else 'valid',
            init=kernel,
            groups=layer.groups,
        )
    nengo.Connection(source, target, transform=transform)


def _placing_matrix(connection: Connection, shape: Shape, corner: Pair) -> Any:
    """The average pooling of `connection` into a map of `shape` as a sparse transform of Nengo.

    The first pooled value comes to `corner` (row, column), and what nothing comes to is 0.
    """
    import nengo

    rows, columns = connection.pooling
    height, width, _ = connection.input_shape
    inputs = np.arange(np.prod(connection.source_shape)).reshape(connection.source_shape)
    inputs = inputs[: height * rows, : width * columns]
    outputs = np.arange(np.prod(shape)).reshape(shape)
    outputs = outputs[corner[0] :, corner[1] :][:height, :width]
    outputs = outputs.repeat(rows, axis=0).repeat(columns, axis=1)
    indices = np.stack((outputs.reshape(-1), inputs.reshape(-1)), axis=1)
    size = int(np.prod(shape)), int(np.prod(connection.source_shape))
    return nengo.Sparse(size, init=np.full(len(indices), 1 / (rows * columns)), indices=indices)


PEERS: dict[str, Callable[..., Run]] = {
    'snntorch': _in_pytorch(_snntorch),
    'spikingjelly': _in_pytorch(_spikingjelly),
    'norse': _in_pytorch(_norse),
    'sinabs': _in_pytorch(_sinabs),
    'nengo': _nengo,
}
"""How to build a model in each library, by the name it is imported under."""
