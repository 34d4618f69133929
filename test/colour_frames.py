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

"""The images of `colour_model` as messages."""

from __future__ import annotations

import colour_model
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image
from std_msgs.msg import Header


def frame(
    colour: str, header: Header | None = None, pixels: NDArray[np.uint8] | None = None
) -> Image:
    """An RGB frame all of one colour, or of these `pixels`."""
    if pixels is None:
        pixels = colour_model.image(colour)
    height, width, _ = pixels.shape
    return Image(
        header=header or Header(),
        height=height,
        width=width,
        encoding='rgb8',
        step=3 * width,
        data=pixels.tobytes(),
    )
