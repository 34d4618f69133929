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
steps are one batch of a convolution; the first layer only once, as the image does not change; no
gradients. Each library is timed in the fastest of SETTINGS. docs/engine.md describes the method.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.layers import Convolution
from snn_perception.model import Model
from snn_perception.network import Stage
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
        neurons = make(model)
        layers: list[tuple[Any, Any, Any]] = []
        for stage, weights in zip(model.network.populations, model.weights, strict=True):
            scale = 1 / model.dt if layers else 1.0
            weighted = _weighted(stage, weights.kernel * scale, kind, layout[memory])
            bias = torch.from_numpy(weights.bias)[:, None, None]
            layers.append((weighted, bias, None if stage.is_readout else neurons()))

        @torch.inference_mode()
        def run(image: NDArray[np.float32], steps: int) -> NDArray:
            values = torch.from_numpy(image.transpose(2, 0, 1).copy())[None]
            for weighted, bias, spike in layers:
                currents = weighted(values.to(kind)).float() + bias
                if spike is not None:
                    values = spike(currents.expand(steps, *currents.shape[1:]))
            return currents.mean(dim=(0, 2, 3)).numpy()

        return run

    return build_run


def _weighted(stage: Stage, kernel: NDArray[np.float32], kind: Any, memory: Any) -> Any:
    """Weighted sums of values (steps, channels, height, width) in PyTorch."""
    import torch
    import torch.nn.functional as F

    layer = stage.layer
    if not isinstance(layer, Convolution):
        kernel = kernel.reshape(*stage.input_shape, -1)
    weight = torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy()).to(kind)
    weight = weight.contiguous(memory_format=memory)

    def forward(values: Any) -> Any:
        values = values.contiguous(memory_format=memory)
        for pooling in stage.pooling:
            values = F.avg_pool2d(values, pooling.size)
        if isinstance(layer, Convolution):
            return F.conv2d(values, weight, stride=layer.stride, padding=layer.padding)
        return F.linear(values.flatten(1), weight.flatten(1))[:, :, None, None]

    return forward


def _nengo(model: Model) -> Run:
    """The model in Nengo's reference simulator, whose LIF has the refractory time."""
    import nengo

    lif = nengo.LIF(tau_rc=_lif(model).tau_rc, tau_ref=_lif(model).tau_ref)
    shown: list[NDArray] = [np.zeros(int(np.prod(model.network.input_shape)))]
    network = nengo.Network(seed=0)
    network.config[nengo.Connection].synapse = None
    with network:
        source: Any = nengo.Node(lambda _: shown[0], size_out=shown[0].size)
        for stage, weights in zip(model.network.populations, model.weights, strict=True):
            size = int(np.prod(stage.output_shape))
            if stage.is_readout:
                target: Any = nengo.Node(size_in=size)
            else:
                bias = np.tile(weights.bias, size // weights.bias.size)
                ensemble = nengo.Ensemble(size, 1, neuron_type=lif, gain=np.ones(size), bias=bias)
                target = ensemble.neurons
            shape = stage.source_shape
            for pooling in stage.pooling:
                matrix = _pooling_matrix(shape, pooling.size)
                pooled = nengo.Node(size_in=matrix.shape[0])
                nengo.Connection(source, pooled, transform=matrix)
                source, shape = pooled, pooling.output_shape(shape)
            nengo.Connection(source, target, transform=_nengo_transform(stage, weights.kernel))
            source = target
        probe = nengo.Probe(source)
    simulator = nengo.Simulator(network, dt=model.dt, progress_bar=False)

    def run(image: NDArray[np.float32], steps: int) -> NDArray:
        shown[0] = image.reshape(-1)
        simulator.reset()
        simulator.run_steps(steps, progress_bar=False)
        return simulator.data[probe].mean(axis=0) + model.weights[-1].bias

    return run


def _pooling_matrix(shape: tuple[int, int, int], size: int) -> Any:
    """Average pooling of a map of `shape` as a sparse transform of Nengo."""
    import nengo

    height, width, channels = shape
    places = np.arange(height * width * channels).reshape(shape)
    rows, columns = height // size, width // size
    inputs = places[: rows * size, : columns * size]
    outputs = np.arange(rows * columns * channels).reshape(rows, columns, channels)
    outputs = outputs.repeat(size, axis=0).repeat(size, axis=1)
    indices = np.stack((outputs.reshape(-1), inputs.reshape(-1)), axis=1)
    matrix = (rows * columns * channels, places.size)
    return nengo.Sparse(matrix, init=np.full(len(indices), 1 / size**2), indices=indices)


def _nengo_transform(stage: Stage, kernel: NDArray[np.float32]) -> Any:
    """Weights of `stage` as a transform of Nengo, whose spikes are 1 / dt high, as ours are."""
    import nengo

    layer = stage.layer
    if not isinstance(layer, Convolution):
        return kernel.reshape(-1, kernel.shape[-1]).T
    is_same = layer.stride == 1 and 2 * layer.padding == layer.kernel - 1
    if layer.padding and not is_same:
        raise ValueError(f'Nengo pads convolutions with stride 1 or not at all, not {layer}')
    return nengo.Convolution(
        layer.channels,
        stage.input_shape,
        kernel_size=(layer.kernel, layer.kernel),
        strides=(layer.stride, layer.stride),
        padding='same' if is_same else 'valid',
        init=kernel,
    )


PEERS: dict[str, Callable[..., Run]] = {
    'snntorch': _in_pytorch(_snntorch),
    'spikingjelly': _in_pytorch(_spikingjelly),
    'norse': _in_pytorch(_norse),
    'sinabs': _in_pytorch(_sinabs),
    'nengo': _nengo,
}
"""How to build a model in each library, by the name it is imported under."""
