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

"""The node that plays recordings, or images in motion, as an event camera would."""

from __future__ import annotations

import array
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from event_camera_msgs.msg import EventPacket
from numpy.typing import NDArray
from rclpy.qos import QoSProfile
from std_msgs.msg import Header

from snn_perception.datasets.sources import Picture
from snn_perception.events.encoding import encode_evt3
from snn_perception.events.stream import Events
from snn_perception.nodes.event_packets.event_subscription import TOPIC
from snn_perception.nodes.event_packets.sources import Clip, open_clips
from snn_perception.nodes.parameters.event_camera_parameters import EventCameraParameters
from snn_perception.nodes.pictures.event_picture import picture_of
from snn_perception.nodes.playing import PlayingNode
from snn_perception.nodes.process import Stop

DEPTH = 100
"""Packets that wait for a slow subscriber."""

SHORTEST_PERIOD = 0.001
"""Seconds between two looks at what is due, at least."""


class EventCameraNode(PlayingNode):
    """Publishes the events of one clip after the other at their time, as EVT 3.0.

    For the rest see `PlayingNode`.
    """

    parameters_type = EventCameraParameters

    def __init__(self, stop: Stop, **options: Any) -> None:
        super().__init__('event_camera', stop, **options)
        self._clips: Iterator[Clip] = iter(())
        self._packets: Iterator[tuple[float, Events, Picture]] = iter(())
        self._due: tuple[float, Events, Picture] | None = None
        self._size: tuple[int, int] | None = None
        self._number = 0
        self.publisher = self.create_publisher(EventPacket, TOPIC, QoSProfile(depth=DEPTH))

    def open(self) -> str:
        """See `PlayingNode.open`."""
        parameters = self.parameters
        self._clips = open_clips(
            parameters.source,
            (parameters.width, parameters.height),
            parameters.image_size,
            parameters.loop,
            parameters.shuffle,
            self.get_logger().warning,
        )
        self._packets = self._cut()
        self._due = next(self._packets, None)
        return f'{parameters.source} at {parameters.speed:g} times its speed'

    def play(self) -> None:
        """Look from now on for what is due."""
        self._begun = time.monotonic()
        period = max(self.parameters.packet_time / self.parameters.speed, SHORTEST_PERIOD)
        self.create_timer(period, self._tick, clock=self.steady)

    def _cut(self) -> Iterator[tuple[float, Events, Picture]]:
        """The packets of all clips: when each is over, in s of the camera, its events, and what
        they are of.
        """
        parameters = self.parameters
        length, begin = round(1e6 * parameters.packet_time), 0
        for clip in self._clips:
            events = self._checked(clip)
            pixels = picture_of(events) if clip.picture is None else clip.picture
            picture = Picture(pixels, clip.name, clip.label)
            end = int(events.t[-1]) + 1
            for first in range(0, end, length):
                part = events.between(first, first + length)
                if len(part):
                    moved = Events(
                        part.t + begin,
                        *(part.x, part.y, part.polarity, part.width, part.height),
                    )
                    yield (begin + first + length) / 1e6, moved, picture
            begin += end + round(1e6 * parameters.pause)

    def _checked(self, clip: Clip) -> Events:
        size = clip.events.width, clip.events.height
        self._size = self._size or size
        if size != self._size:
            raise ValueError(
                f'{clip.name} is of a sensor of {size[0]} x {size[1]} pixels, and what came '
                f'before it of one of {self._size[0]} x {self._size[1]}; one camera has one sensor'
            )
        if not len(clip.events):
            raise ValueError(f'{clip.name} has no events to play')
        return clip.events

    def _tick(self) -> None:
        """Publish what is due."""
        now = (time.monotonic() - self._begun) * self.parameters.speed
        try:
            while self._due is not None and self._due[0] <= now:
                self._publish(*self._due[1:])
                self._due = next(self._packets, None)
        except ValueError as reason:
            self.fail(str(reason))
            return
        if self._due is None:
            self.end()

    def _publish(self, events: Events, picture: Picture) -> None:
        header = Header(stamp=self.get_clock().now().to_msg(), frame_id=self.parameters.frame_id)
        message = packet(header, events, self._number)
        self._number += 1
        self.on_publish(header, picture)
        self.publisher.publish(message)


def packet(header: Header, events: Events, number: int) -> EventPacket:
    """The packet with this `number` in its camera's stream."""
    return EventPacket(
        header=header,
        height=events.height,
        width=events.width,
        seq=number,
        encoding='evt3',
        events=_octets(encode_evt3(events)),
    )


def _octets(words: NDArray[np.uint16]) -> array.array:
    """`words` as the array that a message takes without looking at each element."""
    data = array.array('B')
    data.frombytes(words.astype('<u2').tobytes())
    return data
