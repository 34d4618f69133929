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

"""What processing does to an image: its levels, its shape, its pixels and its compression.

Images are float32 (height, width, channels) with values from 0 to 1; results may leave them.
"""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image as Pictures

from snn_perception.evaluation.damage.pixels import Image, levels, like, values
from snn_perception.images import decode_compressed


def brightness(image: Image, random: np.random.Generator, amount: float) -> Image:
    """The value of each colour (its largest part) is raised by `amount`, up to 1."""
    if image.shape[2] == 1:
        return image + np.float32(amount)
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    hsv[..., 2] = np.clip(hsv[..., 2] + amount, 0, 1)
    return like(image, cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))


def saturate(image: Image, random: np.random.Generator, factor: float, amount: float) -> Image:
    """The saturation of each colour, `factor` times and raised by `amount`; grey has none."""
    if image.shape[2] == 1:
        return image
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    hsv[..., 1] = np.clip(factor * hsv[..., 1] + amount, 0, 1)
    return like(image, cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))


def contrast(image: Image, random: np.random.Generator, factor: float) -> Image:
    """The differences to the mean of a channel, `factor` times."""
    mean = image.mean(axis=(0, 1), keepdims=True)
    return (image - mean) * np.float32(factor) + mean


def elastic_transform(
    image: Image, random: np.random.Generator, amount: float, deviation: float, tilt: float
) -> Image:
    """Drawn on rubber: three points are pulled off by up to `tilt` pixels, then all a little.

    How far each pixel is pulled is `amount` times uniform noise, blurred by `deviation` pixels.
    """
    height, width = image.shape[:2]
    middle, arm = np.array([width // 2, height // 2]), min(height, width) // 3
    corners = (middle + arm * np.array([[1, 1], [1, -1], [-1, -1]])).astype(np.float32)
    pulled = corners + random.uniform(-tilt, tilt, corners.shape).astype(np.float32)
    matrix = cv2.getAffineTransform(corners, pulled)
    tilted = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101)
    rows, columns = np.indices((height, width), np.float32)
    if amount:
        pulls = random.uniform(-1, 1, (2, height, width)).astype(np.float32)
        reach = 2 * int(3 * deviation + 0.5) + 1
        down, right = (
            cv2.GaussianBlur(pull, (reach, reach), deviation, borderType=cv2.BORDER_REFLECT)
            for pull in pulls
        )
        rows, columns = rows + amount * down, columns + amount * right
    damaged = cv2.remap(tilted, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return like(image, damaged)


def pixelate(image: Image, random: np.random.Generator, factor: float) -> Image:
    """Shrunk to `factor` of its size and back, by means of boxes."""
    height, width = image.shape[:2]
    small = max(1, int(factor * width)), max(1, int(factor * height))
    box = Pictures.Resampling.BOX
    pixels = levels(image if image.shape[2] > 1 else image[..., 0])
    shrunk = Pictures.fromarray(pixels).resize(small, box)
    return values(np.asarray(shrunk.resize((width, height), box)).reshape(image.shape))


def jpeg_compression(image: Image, random: np.random.Generator, quality: int) -> Image:
    """Compressed as a JPEG of `quality`, from 0 to 100."""
    # From RGB to the BGR of OpenCV; a single channel stays as it is.
    pixels = np.ascontiguousarray(levels(image)[:, :, ::-1])
    _, content = cv2.imencode('.jpg', pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return values(decode_compressed(content.tobytes()).reshape(image.shape))
