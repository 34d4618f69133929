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

"""A camera for measurements: frames made beforehand, stamped right before they are published.

    python -m snn_perception.nodes.trials.camera FRAMES.npy RATE COUNT RELIABILITY

publishes COUNT frames (0: without end) on `image_raw` once somebody subscribes, and then prints a
line of JSON: what it sent, and how late. It ends when its standard input is closed, too, so that
it cannot outlive the process that started it.
"""

from __future__ import annotations

import array
import json
import sys
import threading
import time
from dataclasses import dataclass

import numpy as np
import rclpy
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

PATIENCE = 30.0
"""Seconds to wait for a subscriber."""
SETTLING = 0.5
"""Seconds from the first sign of a subscriber to the first frame: both sides must know."""


@dataclass(frozen=True)
class Sent:
    """What was published: how many frames, how long `publish` took, and how late the last was."""

    frames: int
    publish_ms_median: float
    late_ms_max: float


def image(pixels: NDArray[np.uint8], **fields: object) -> Image:
    """`pixels`, (height, width, 3) RGB, as a message; `fields` are put in the place of its own."""
    height, width = pixels.shape[:2]
    data = array.array('B')
    data.frombytes(np.ascontiguousarray(pixels).data.cast('B'))
    own = {'height': height, 'width': width, 'encoding': 'rgb8', 'step': 3 * width, 'data': data}
    return Image(**{**own, **fields})


def wait_for_subscriber(node: Node, publisher: Publisher, stop: threading.Event) -> bool:
    """Whether somebody subscribed within PATIENCE, and both sides have had time to notice."""
    end = time.monotonic() + PATIENCE
    while not publisher.get_subscription_count():
        if stop.is_set() or time.monotonic() > end:
            return False
        rclpy.spin_once(node, timeout_sec=0.01)
    return not stop.wait(SETTLING)


def publish(
    node: Node, publisher: Publisher, frames: list[Image], rate: float, stop: threading.Event,
    count: int = 0,
) -> Sent:  # fmt: skip
    """Publish `frames` in turns at `rate` Hz, `count` in all (0: until `stop`), each stamped now.

    A frame that is late does not make the next ones late.
    """
    durations: list[float] = []
    late = [0.0]
    start = time.monotonic()
    while not (count and len(durations) == count):
        number = len(durations)
        due = start + number / rate
        if stop.wait(max(0.0, due - time.monotonic())):
            break
        late.append(time.monotonic() - due)
        message = frames[number % len(frames)]
        message.header.stamp = node.get_clock().now().to_msg()
        before = time.monotonic()
        publisher.publish(message)
        durations.append(time.monotonic() - before)
    median = float(np.median(durations)) if durations else 0.0
    return Sent(len(durations), 1e3 * median, 1e3 * max(late))


def main() -> int:
    """Run the camera; returns the exit status, which is 1 if nobody subscribed."""
    path, rate, count, reliability = sys.argv[1:]
    frames = [image(pixels) for pixels in np.load(path, mmap_mode='r')]
    stop = threading.Event()

    def end_with_parent() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=end_with_parent, daemon=True).start()
    rclpy.init()
    node = Node('trial_camera')
    qos = QoSProfile(depth=1, reliability=ReliabilityPolicy[reliability.upper()])
    publisher = node.create_publisher(Image, 'image_raw', qos)
    try:
        if not wait_for_subscriber(node, publisher, stop):
            return 1
        sent = publish(node, publisher, frames, float(rate), stop, int(count))
        print(json.dumps(vars(sent)), flush=True)
        # The last frame must not be lost with its publisher.
        stop.wait(1.0)
        return 0
    except KeyboardInterrupt:
        return 130
    finally:
        rclpy.try_shutdown()


if __name__ == '__main__':
    sys.exit(main())
