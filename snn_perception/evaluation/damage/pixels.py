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

"""What the kinds of damage are done to: the values of an image, from its levels and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
"""(height, width, channels), grey or RGB, with values from 0 to 1."""


def values(levels: NDArray[np.uint8]) -> Image:
    """The image with these `levels` from 0 to 255."""
    return levels.astype(np.float32) / 255


def levels(image: Image) -> NDArray[np.uint8]:
    """The levels of `image`; what leaves the range of values is cut off."""
    return np.clip(np.rint(255 * image), 0, 255).astype(np.uint8)


def like(image: Image, result: Any) -> Image:
    """`result` of OpenCV, which drops the axis of a single channel, in the shape of `image`."""
    return np.asarray(result, np.float32).reshape(image.shape)
