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

"""What lenses, sensors and image processing do to pictures, each as an operation on a batch.

All take images (batch, channels, height, width) in 0..1 and strengths for each image (batch,), and
return new images of the same shape, which may leave 0..1.
"""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

GAMMA = 2.2
"""Light is pixel values to this power, nearly (sRGB)."""
LUMINANCE = (0.299, 0.587, 0.114)
"""Of red, green and blue (ITU-R BT.601)."""
SHRINKING = ('area', 'nearest-exact', 'bilinear')
ENLARGING = ('nearest-exact', 'bilinear', 'bicubic')
FILTERS = len(SHRINKING) * len(ENLARGING)
"""Pairs of a filter that makes an image smaller and one that makes it larger."""
BLOCK = 8
"""Rows and columns of the blocks of JPEG."""
LUMINANCE_STEPS = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
"""Steps of quantisation at quality 50 (ITU-T T.81, table K.1)."""
COLOUR_STEPS = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8 for _ in range(4)),
)
"""Steps of quantisation at quality 50 (ITU-T T.81, table K.2)."""


def expose(images: Tensor, stops: Tensor) -> Tensor:
    """Exposed for 2 to the power of `stops` times as long; what is too bright saturates."""
    return (images * _each(2 ** (stops / GAMMA))).clamp(max=1)


def balance_white(images: Tensor, red: Tensor, blue: Tensor) -> Tensor:
    """Red and blue brighter by these numbers of stops; grey images stay as they are."""
    if images.shape[1] != len(LUMINANCE):
        return images
    gains = torch.stack([red, torch.zeros_like(red), blue], dim=1) / GAMMA
    return images * (2**gains)[:, :, None, None]


def change_contrast(images: Tensor, factor: Tensor) -> Tensor:
    """The difference of each pixel from the mean of its image multiplied by `factor`."""
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return torch.lerp(mean, images, _each(factor))


def change_saturation(images: Tensor, factor: Tensor) -> Tensor:
    """The difference of each pixel from its grey value multiplied by `factor`."""
    if images.shape[1] != len(LUMINANCE):
        return images
    weights = images.new_tensor(LUMINANCE).view(1, -1, 1, 1)
    grey = (images * weights).sum(dim=1, keepdim=True)
    return torch.lerp(grey, images, _each(factor))


def veil(images: Tensor, share: Tensor) -> Tensor:
    """With the `share` of white light that haze, a dirty lens or the sun in it spread over all."""
    return torch.lerp(images, torch.ones_like(images), _each(share))


def add_noise(
    images: Tensor, shot: Tensor, read: Tensor, generator: Generator | None = None
) -> Tensor:
    """With the noise of a sensor: its variance is `shot`^2 times the value, plus `read`^2.

    That of photons grows with the light, that of reading the sensor does not (Foi et al.,
    "Practical Poissonian-Gaussian noise modeling and fitting for single-image raw-data", 2008).
    """
    variance = _each(shot.square()) * images.clamp(0, 1) + _each(read.square())
    noise = torch.empty_like(images).normal_(generator=generator)
    return torch.addcmul(images, variance.sqrt_(), noise)


def defocus(images: Tensor, radius: Tensor) -> Tensor:
    """Out of focus: every point becomes a disk of `radius` (pixels)."""
    rows, columns = _offsets(images, float(radius.max()))
    distance = torch.hypot(rows, columns)
    return _convolve(images, (_each(radius, 3) + 0.5 - distance).clamp(0, 1))


def move(images: Tensor, length: Tensor, angle: Tensor) -> Tensor:
    """Moved while it was exposed: every point becomes a line of `length` (pixels).

    `angle` (radians) is between the line and the rows.
    """
    rows, columns = _offsets(images, float(length.max()) / 2)
    half, angle = _each(length / 2, 3), _each(angle, 3)
    sine, cosine = torch.sin(angle), torch.cos(angle)
    along = (rows * sine + columns * cosine).clamp(-half, half)
    distance = torch.hypot(rows - along * sine, columns - along * cosine)
    return _convolve(images, (1 - distance).clamp(min=0))


def shrink(images: Tensor, factor: Tensor, filters: Tensor) -> Tensor:
    """Made smaller by `factor` (1 or more) and larger again.

    filters: the number, under FILTERS, of the pair of filters for each image.
    """
    height, width = images.shape[2:]
    scales = list(zip(factor.tolist(), filters.tolist(), strict=True))
    down = torch.stack([_resampling(height, each, number) for each, number in scales])
    across = torch.stack([_resampling(width, each, number) for each, number in scales])
    down, across = down.to(images.device), across.to(images.device)
    return down[:, None] @ images @ across.transpose(1, 2)[:, None]


def compress(images: Tensor, quality: Tensor) -> Tensor:
    """After JPEG compression with a `quality` from 1 to 100, colours at half the resolution."""
    height, width = images.shape[2:]
    block = BLOCK if images.shape[1] == 1 else 2 * BLOCK
    margins = (0, -width % block, 0, -height % block)
    levels = F.pad(images.clamp(0, 1) * 255, margins, mode='replicate') - 128
    scale = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality)
    if images.shape[1] == 1:
        levels = _quantise(levels, LUMINANCE_STEPS, scale)
    else:
        matrix = _luminance_and_colours(images.device)
        levels = torch.einsum('ij,bjhw->bihw', matrix, levels)
        luminance = _quantise(levels[:, :1], LUMINANCE_STEPS, scale)
        colours = _quantise(F.avg_pool2d(levels[:, 1:], 2), COLOUR_STEPS, scale)
        colours = F.interpolate(colours, scale_factor=2, mode='bilinear')
        levels = torch.cat([luminance, colours], dim=1)
        levels = torch.einsum('ij,bjhw->bihw', torch.linalg.inv(matrix), levels)
    return ((levels[:, :, :height, :width] + 128) / 255).clamp(0, 1)


def _each(values: Tensor, dimensions: int = 4) -> Tensor:
    """`values` (batch,) for images or for planes of as many `dimensions`."""
    return values.view(-1, *(1,) * (dimensions - 1))


def _offsets(images: Tensor, reach: float) -> tuple[Tensor, Tensor]:
    """Rows and columns from the middle of a kernel that reaches so many pixels, at least one."""
    # Images are mirrored at their edges, beyond which there must be a pixel.
    pixels = max(min(round(reach + 0.5), *(side - 1 for side in images.shape[2:])), 0)
    line = torch.arange(-pixels, pixels + 1.0, device=images.device)
    return line[None, :, None], line[None, None, :]


def _convolve(images: Tensor, kernels: Tensor) -> Tensor:
    """Each image convolved with its own of `kernels` (batch, odd size, odd size), scaled to 1."""
    batch, channels, height, width = images.shape
    kernels = kernels / kernels.sum(dim=(1, 2), keepdim=True)
    margin = kernels.shape[1] // 2
    planes = F.pad(images, (margin,) * 4, mode='reflect').flatten(0, 1)[None]
    kernels = kernels.repeat_interleave(channels, dim=0)[:, None]
    return F.conv2d(planes, kernels, groups=batch * channels).view(batch, channels, height, width)


def _resampling(size: int, factor: float, filters: int) -> Tensor:
    """The matrix (size, size) that makes a line of pixels smaller by `factor` and larger again."""
    return _resampling_by_way_of(size, max(round(size / factor), 1), filters)


@lru_cache(maxsize=8192)
def _resampling_by_way_of(size: int, smaller: int, filters: int) -> Tensor:
    down, up = SHRINKING[filters // len(ENLARGING)], ENLARGING[filters % len(ENLARGING)]
    unit = torch.eye(size).view(1, size, size, 1)
    return F.interpolate(
        F.interpolate(unit, (smaller, 1), mode=down), (size, 1), mode=up
    ).view(size, size).T.contiguous()  # fmt: skip


def _luminance_and_colours(device: torch.device) -> Tensor:
    """The matrix from red, green and blue to luminance and colour differences (JFIF)."""
    red, green, blue = LUMINANCE
    rows = (
        (red, green, blue),
        (-red / (2 - 2 * blue), -green / (2 - 2 * blue), 0.5),
        (0.5, -green / (2 - 2 * red), -blue / (2 - 2 * red)),
    )
    return torch.tensor(rows, device=device)


def _quantise(levels: Tensor, steps: tuple[tuple[int, ...], ...], scale: Tensor) -> Tensor:
    """`levels` (batch, channels, height, width) after rounding in the frequency domain."""
    table = levels.new_tensor(steps)
    table = ((table * _each(scale, 3) + 50) / 100).floor().clamp(1, 255)[:, None, None, None]
    cosines = _cosines().to(levels.device)
    batch, channels, height, width = levels.shape
    blocks = levels.reshape(batch, channels, height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    blocks = blocks.transpose(3, 4)
    frequencies = cosines @ blocks @ cosines.T
    rounded = (frequencies / table).round() * table
    return (cosines.T @ rounded @ cosines).transpose(3, 4).reshape(levels.shape)


@lru_cache
def _cosines() -> Tensor:
    """The orthonormal discrete cosine transform of BLOCK values, as a matrix."""
    number = torch.arange(float(BLOCK))
    matrix = torch.cos(torch.pi / BLOCK * (number[None] + 0.5) * number[:, None])
    matrix *= (2 / BLOCK) ** 0.5
    matrix[0] *= 0.5**0.5
    return matrix
