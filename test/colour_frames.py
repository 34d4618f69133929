"""The images of `colour_model` as messages."""

from __future__ import annotations

import colour_model
from sensor_msgs.msg import Image
from std_msgs.msg import Header


def frame(colour: str, header: Header | None = None) -> Image:
    """An RGB frame all of one colour."""
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
