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

"""Faults of cameras and of the network: what a node must survive without any help."""

from __future__ import annotations

import array
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from snn_perception.nodes.frames.frame_reader import ENCODINGS, nanoseconds
from snn_perception.nodes.trials.bench import Bench
from snn_perception.nodes.trials.camera import image
from snn_perception.nodes.trials.processes import camera

SECOND = 1_000_000_000
BURST = 0.005
"""Seconds between the frames of a burst."""
FOREIGN = (1, 1), (2, 3), (33, 17), (640, 480), (3840, 2160)
"""Sizes of frames, (width, height), that are not those of the good ones."""

Damage = dict[str, Any]

DAMAGES: dict[str, Callable[[Image], Damage]] = {
    'no pixels': lambda message: {'data': array.array('B')},
    'a short buffer': lambda message: {'data': message.data[: len(message.data) // 2]},
    'a long buffer': lambda message: {'data': message.data + message.data[:100]},
    'rows that overlap': lambda message: {'step': 1},
    'rows of no length': lambda message: {'step': 0},
    'a size of 0 x 0': lambda message: {'width': 0, 'height': 0},
    'an absurd size': lambda message: {'width': 2**32 - 1, 'height': 2**32 - 1, 'step': 2**32 - 1},
    'an unknown encoding': lambda message: {'encoding': 'smell8'},
    'an encoding of other bytes': lambda message: {'encoding': '64FC4'},
    'an encoding of no letters': lambda message: {'encoding': ''},
    'an endless encoding': lambda message: {'encoding': 'x' * 100_000},
    'numbers that are none': lambda message: _floats(message, np.nan),
    'infinite numbers': lambda message: _floats(message, np.inf),
}
"""What is put into the place of a frame's own fields."""


def _floats(message: Image, value: float) -> Damage:
    height, width = message.height, message.width
    data = array.array('B', np.full((height, width), value, np.float32).tobytes())
    return {'encoding': '32FC1', 'step': 4 * width, 'data': data}


def damaged(kind: str) -> Callable[[Bench], None]:
    """The fault of a few frames with the damage of this `kind`."""

    def fault(bench: Bench) -> None:
        for _ in range(bench.chance.randint(1, 5)):
            bench.send(bench.frame(**DAMAGES[kind](bench.frame())))

    return fault


def random_fields(bench: Bench) -> None:
    """Frames of which every field may be anything."""
    chance = bench.chance
    for _ in range(20):
        numbers = [chance.choice([0, 1, 3, 7, 64, 640, 2**16, 2**31, 2**32 - 1]) for _ in range(3)]
        width, height, step = numbers
        encoding = chance.choice([*ENCODINGS, 'jpeg', 'RGB8', ' rgb8'])
        data = array.array('B', chance.randbytes(chance.choice([0, 1, 100, 21_504])))
        fields = {'width': width, 'height': height, 'step': step, 'encoding': encoding}
        big = chance.choice([0, 1, 255])
        bench.send(bench.frame(**fields, data=data, is_bigendian=big))


def empty_message(bench: Bench) -> None:
    """A message of which no field was ever set."""
    bench.send(Image())


def _other_size(bench: Bench) -> Image:
    width, height = bench.chance.choice(FOREIGN)
    message = image(np.full((height, width, 3), 128, np.uint8))
    message.header.stamp = bench.observer.node.get_clock().now().to_msg()
    return message


def one_frame_of_another_size(bench: Bench) -> None:
    """What a camera that is set up anew sends first."""
    bench.send(_other_size(bench))


def a_while_of_another_size(bench: Bench) -> None:
    """Ten frames of one other size: the camera changes its mind twice."""
    message = _other_size(bench)
    for _ in range(10):
        bench.send(message)
        time.sleep(BURST)


def sizes_in_turns(bench: Bench) -> None:
    """Two cameras of different sizes on one topic."""
    for _ in range(10):
        bench.send(_other_size(bench))
        bench.send_good()
        time.sleep(BURST)


def a_burst(bench: Bench) -> None:
    """A second of frames at 200 Hz."""
    end = time.monotonic() + 1
    while time.monotonic() < end:
        bench.send(bench.frame())
        time.sleep(BURST)


def stamped(offsets: Callable[[Bench, int], int]) -> Callable[[Bench], None]:
    """The fault of ten frames stamped `offsets(bench, number)` ns from now, or 0 at the least."""

    def fault(bench: Bench) -> None:
        for number in range(10):
            message = bench.frame()
            stamp = max(0, nanoseconds(message.header) + offsets(bench, number))
            seconds, rest = divmod(stamp, SECOND)
            message.header.stamp = Time(sec=min(seconds, 2**31 - 1), nanosec=rest)
            bench.send(message)
            time.sleep(BURST)

    return fault


def impossible_stamps(bench: Bench) -> None:
    """Stamps before 1970, and with more nanoseconds than a second has."""
    for seconds, rest in ((-1, 0), (-(2**31), 2**32 - 1), (2**31 - 1, 2**32 - 1)):
        stamp = Time(sec=seconds, nanosec=rest)
        bench.send(bench.frame(header=Header(stamp=stamp, frame_id='x' * 10_000)))


def a_camera_that_dies(bench: Bench) -> None:
    """A second publisher in a process of its own, killed in the middle of its frames."""
    with camera(
        bench.recording, 50.0, 0, bench.chance.choice(['reliable', 'best_effort'])
    ) as source:
        source.wait(bench.chance.uniform(0.5, 2.5))
        source.process.kill()


def publishers_come_and_go(bench: Bench) -> None:
    """Publishers of every reliability and durability, one after the other."""
    for reliability in (ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT):
        for durability in (DurabilityPolicy.VOLATILE, DurabilityPolicy.TRANSIENT_LOCAL):
            qos = QoSProfile(depth=1, reliability=reliability, durability=durability)
            publisher = bench.create_publisher(qos)
            for _ in range(bench.chance.randint(0, 5)):
                publisher.publish(bench.frame())
            bench.observer.node.destroy_publisher(publisher)


def a_silent_publisher_of_another_quality(bench: Bench) -> None:
    """One that only offers best effort, beside the good one: the node must not turn deaf."""
    qos = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    publisher = bench.create_publisher(qos)
    time.sleep(bench.chance.uniform(0, 1))
    bench.observer.node.destroy_publisher(publisher)


FRAMES: dict[str, Callable[[Bench], None]] = {
    **{f'frames with {kind}': damaged(kind) for kind in DAMAGES},
    'frames with random fields': random_fields,
    'an empty message': empty_message,
    'one frame of another size': one_frame_of_another_size,
    'a while of another size': a_while_of_another_size,
    'sizes in turns': sizes_in_turns,
    'a burst at 200 Hz': a_burst,
    'stamps of zero': stamped(lambda bench, number: -(2**62)),
    'stamps of the future': stamped(lambda bench, number: 3600 * SECOND),
    'stamps of last year': stamped(lambda bench, number: -31_536_000 * SECOND),
    'stamps that go back': stamped(lambda bench, number: -number * SECOND),
    'stamps that repeat': stamped(lambda bench, number: -number * 5_000_000),
    'stamps at random': stamped(lambda bench, number: bench.chance.randrange(-(2**50), 2**50)),
    'impossible stamps': impossible_stamps,
    'a camera that dies': a_camera_that_dies,
    'publishers that come and go': publishers_come_and_go,
    'a silent publisher of another quality': a_silent_publisher_of_another_quality,
}
"""Every fault of this file by its name."""
