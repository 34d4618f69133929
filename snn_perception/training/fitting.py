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

"""Conversion without training: activations per spike, and biases, from a few hundred images.

Layer by layer, with the spikes of the layers before it: the scale of each channel is such that
the largest of its usual activations becomes a given number of spikes, and its bias is moved until
its mean sum is what it was in the original. So errors of rounding do not add up to a shift.
Rueckauer et al., "Conversion of continuous-valued deep networks to efficient event-driven
networks for image classification", 2017 (percentiles); Nagel et al., "Data-free quantization
through weight equalization and bias correction", 2019.
"""

from __future__ import annotations

import torch
from torch import Tensor

from snn_perception.graph import IMAGE, Connection
from snn_perception.network import Network
from snn_perception.training.converted import ConvertedLayer, ConvertedNetwork

PERCENTILE = 99.9
"""Activations above it are outliers, and may be cut off."""
SMALLEST_SHARE = 0.01
"""Of the largest scale in a layer: what hardly ever says anything needs no finer one."""
FEW_SYNAPSES = 16
"""Spikes that reach no more synapses on average cost little, and may be many."""


@torch.no_grad()
def fit(network: ConvertedNetwork, images: Tensor, most_spikes: int) -> None:
    """Set scales and biases of `network`, which has the weights of the original, by `images`.

    images: prepared, (count, height, width, channels). Usual activations become `most_spikes`
    spikes at most, but as many as a window has room for where they reach few synapses.
    """
    spiking: dict[int, Tensor] = {IMAGE: images}
    original: dict[int, Tensor] = {IMAGE: images}
    scales: dict[int, Tensor] = {}
    *hidden, readout = list(network.layers)
    few = heard_by_few(network.network)
    for layer, ceiling in zip(hidden, network.ceilings, strict=True):
        assert isinstance(layer, ConvertedLayer)
        index = layer.population.index
        wanted = layer.total(original, {}, None)
        layer.bias.add_(_mean(wanted) - _mean(layer.total(spiking, scales, None)))
        original[index] = wanted.clamp_(0, ceiling)
        peak = network.steps if index in few else min(most_spikes, network.steps)
        scale = usual_maximum(original[index]) / peak
        layer.log_scale.copy_(scale.log())
        scales[index] = scale
        gain = network.line.slope / scale
        current = layer.total(spiking, scales, gain) + network.line.offset
        spiking[index] = network.in_mode('spikes')._spikes(current, None)
        for source in network.network.read_last[index]:
            if source != IMAGE:
                del spiking[source], original[source]
    assert isinstance(readout, ConvertedLayer)
    wanted = readout.total(original, {}, None)
    readout.bias.add_(_mean(wanted) - _mean(readout.total(spiking, scales, None)))


def usual_maximum(activations: Tensor) -> Tensor:
    """For each channel (channels,) the percentile of `activations` (..., channels)."""
    flat = activations.flatten(0, -2)
    rank = max(round(len(flat) * (1 - PERCENTILE / 100)), 1)
    largest = flat.topk(rank, dim=0).values[-1]
    return largest.clamp(min=float(largest.max()) * SMALLEST_SHARE).clamp(min=1e-6)


def heard_by_few(network: Network) -> set[int]:
    """The populations whose spikes reach no more than `FEW_SYNAPSES` synapses on average."""
    reached: dict[int, float] = {}
    for population in network.populations:
        for connection in population.connections:
            if connection.source != IMAGE:
                before = reached.get(connection.source, 0)
                reached[connection.source] = before + _fan_out(connection)
    return {source for source, count in reached.items() if count <= FEW_SYNAPSES}


def _fan_out(connection: Connection) -> float:
    return float(connection.fan_out.mean())


def _mean(values: Tensor) -> Tensor:
    return values.flatten(0, -2).mean(dim=0)
