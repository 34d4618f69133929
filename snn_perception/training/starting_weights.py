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

"""The weights that a training in rates starts with, by the `initialisation` of its recipe."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from snn_perception.layers import Convolution
from snn_perception.training.initialisation import Initialisation
from snn_perception.training.trainable import HiddenLayer, RateNetwork

FAINTEST = 5e-4
"""Share of the largest variance under which directions stay fainter than the others."""
CHANCE = 0.5
"""What remains of the weights drawn by chance where an identity is added."""


@torch.no_grad()
def initialise(
    network: RateNetwork, initialisation: Initialisation, batches: Iterable[Tensor]
) -> None:
    """Change the weights of `network`, which is to learn from such images as in `batches`.

    Each of these is (batch, height, width, channels), as the network takes them.
    """
    layers = cast('list[HiddenLayer]', list(network.hidden))
    for layer in layers:
        for number in layer.weighted:
            normalisation = layer.part('normalisation', number)
            normalisation.weight.mul_(initialisation.current_deviation)
    if initialisation.whitening:
        _whiten(layers[0], batches)
    if initialisation.identity:
        for layer in layers[1:]:
            for number in layer.weighted:
                _add_identity(layer, number)


def _whiten(layer: HiddenLayer, batches: Iterable[Tensor]) -> None:
    """Give `layer` the principal directions of patches of the images in `batches`, for good."""
    weight, normalisation = (layer.part(name, 0) for name in ('weight', 'normalisation'))
    count = len(weight) // 2
    products = torch.zeros(weight.shape[1], weight.shape[1], dtype=torch.float64)
    for images in batches:
        patches = _patches(images, layer).double().cpu()
        products += patches.T @ patches
    # From the faintest to the strongest; a direction is a column.
    variances, directions = torch.linalg.eigh(products)
    strongest = directions.flip(1)[:, :count].T.float()
    weight.copy_(torch.cat([strongest, -strongest]))
    weight.requires_grad_(False)
    # Normalisation makes all of them equally strong, also those that are hardly more than noise.
    strength = (variances / (variances + FAINTEST * variances[-1])).clamp(min=0).sqrt()
    strength = strength.flip(0)[:count].float().to(weight)
    normalisation.weight.mul_(torch.cat([strength, strength]))


def _patches(images: Tensor, layer: HiddenLayer) -> Tensor:
    """Patches (patches, values) that `layer` sees of `images` (batch, height, width, channels).

    They lie side by side; none reaches beyond the edges.
    """
    size = layer.population.connections[0].convolution.kernel_size
    columns = F.unfold(images.permute(0, 3, 1, 2), size, stride=size).transpose(1, 2)
    patches = columns.reshape(-1, images.shape[3], *size)
    return patches.permute(0, 2, 3, 1).flatten(1)


def _add_identity(layer: HiddenLayer, number: int) -> None:
    """Let the convolution `number` into `layer` begin by passing on its inputs.

    A kernel of even size passes on the mean of the pixels in its middle.
    """
    connection = layer.population.connections[number]
    if not isinstance(connection.layer, Convolution) or connection.layer.groups > 1:
        return
    rows, columns, inputs, channels = connection.weight_shape
    kernel = layer.part('weight', number).view(channels, rows, columns, inputs)
    same = torch.arange(min(inputs, channels), device=kernel.device)
    kernel[same] *= CHANCE
    middle = [range((size - 1) // 2, size // 2 + 1) for size in (rows, columns)]
    pixels = list(product(*middle))
    for row, column in pixels:
        kernel[same, row, column, same] += 1 / len(pixels)
