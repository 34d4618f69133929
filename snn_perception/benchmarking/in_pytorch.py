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

"""A model around the neurons of a library that is built on PyTorch.

`..._neurons(model)` gives a maker of the neurons of a layer: functions from their currents
(steps, channels, height, width) through all steps to their spikes, 1 or 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.benchmarking.run import Run, lif_of
from snn_perception.graph import IMAGE, Connection
from snn_perception.layers import Dense, Identity
from snn_perception.model import Model


def snntorch_neurons(model: Model) -> Callable[[], Any]:
    import snntorch
    import torch

    beta = float(np.exp(-model.dt / lif_of(model).tau_rc))

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


def spikingjelly_neurons(model: Model) -> Callable[[], Any]:
    from spikingjelly.activation_based import functional, neuron

    # Its decay per step is 1 / tau, where ours is 1 - exp(-dt / tau_rc).
    tau = float(1 / -np.expm1(-model.dt / lif_of(model).tau_rc))

    def neurons() -> Any:
        lif = neuron.LIFNode(tau=tau, v_threshold=1.0, v_reset=0.0, step_mode='m')

        def forward(currents: Any) -> Any:
            functional.reset_net(lif)
            return lif(currents)

        return forward

    return neurons


def norse_neurons(model: Model) -> Callable[[], Any]:
    import norse.torch as norse
    import torch

    parameters = norse.LIFBoxParameters(
        tau_mem_inv=torch.tensor(1 / lif_of(model).tau_rc), v_th=torch.tensor(1.0)
    )

    def neurons() -> Any:
        lifted = norse.Lift(norse.LIFBoxCell(parameters, dt=model.dt))
        return lambda currents: lifted(currents)[0]

    return neurons


def sinabs_neurons(model: Model) -> Callable[[], Any]:
    from sinabs import activation, layers

    tau = lif_of(model).tau_rc / model.dt

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


def in_pytorch(make: Callable[[Model], Callable[[], Any]]) -> Callable[..., Run]:
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
