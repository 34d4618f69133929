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
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from event_camera_msgs.msg import EventPacket
from numpy.typing import NDArray
from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from rclpy.qos import QoSProfile
from std_msgs.msg import Header

from snn_perception.datasets.sources import Picture
from snn_perception.events.encoding import encode_evt3
from snn_perception.events.stream import Events
from snn_perception.nodes.event_packets.event_subscription import TOPIC
from snn_perception.nodes.event_packets.sources import Clip, open_clips
from snn_perception.nodes.parameters.event_camera_parameters import EventCameraParameters
from snn_perception.nodes.parameters.parameter_server import ParameterNode, ParameterServer
from snn_perception.nodes.pictures.event_picture import picture_of
from snn_perception.nodes.process import Stop
from snn_perception.nodes.services import guard_services

DEPTH = 100
"""Packets that wait for a slow subscriber."""

SHORTEST_PERIOD = 0.001
CHECK_PERIOD = 0.02
"""Seconds between two looks at what is due, at least, and between two checks for a subscriber."""


class EventCameraNode(ParameterNode):
    """Publishes the events of one clip after the other at their time, as EVT 3.0.

    Requests `stop` when the clips end. `on_publish` is called with the header of every packet and
    a picture of what is shown, before it goes out.
    """

    def __init__(
        self,
        stop: Stop,
        on_publish: Callable[[Header, Picture], None] = lambda header, picture: None,
        **options: Any,
    ) -> None:
        super().__init__('event_camera', **options)
        self.has_failed = False
        self._stop = stop
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._on_publish = on_publish
        self.server = ParameterServer(self, EventCameraParameters)
        guard_services(self)
        self._clips: Iterator[Clip] = iter(())
        self._packets: Iterator[tuple[float, Events, Picture]] = iter(())
        self._due: tuple[float, Events, Picture] | None = None
        self._size: tuple[int, int] | None = None
        self._number = 0
        self._publisher = self.create_publisher(EventPacket, TOPIC, QoSProfile(depth=DEPTH))

    @property
    def parameters(self) -> EventCameraParameters:
        """The parameters now."""
        return self.server.values

    def start(self) -> bool:
        """Open the source and begin to publish; False, and a log line, if that fails."""
        parameters = self.parameters
        try:
            self.server.require_valid()
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
        except ValueError as reason:
            self._fail(str(reason))
            return False
        self.get_logger().info(
            f'publishing {parameters.source} at {parameters.speed:g} times its speed on '
            f'{self._publisher.topic_name}'
        )
        self._first_timer = self.create_timer(CHECK_PERIOD, self._begin, clock=self._steady)
        return True

    def _fail(self, reason: str) -> None:
        self.get_logger().error(reason)
        self.has_failed = True
        self._stop.request()

    def _begin(self) -> None:
        """Play, at once or when somebody subscribes."""
        if self.parameters.wait_for_subscriber and not self._publisher.get_subscription_count():
            return
        self.destroy_timer(self._first_timer)
        self._begun = time.monotonic()
        period = max(self.parameters.packet_time / self.parameters.speed, SHORTEST_PERIOD)
        self.create_timer(period, self._tick, clock=self._steady)

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
            end = int(events.t[-1]) + 1 if len(events) else 0
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
        return clip.events

    def _tick(self) -> None:
        """Publish what is due."""
        now = (time.monotonic() - self._begun) * self.parameters.speed
        try:
            while self._due is not None and self._due[0] <= now:
                self._publish(*self._due[1:])
                self._due = next(self._packets, None)
        except ValueError as reason:
            self._fail(str(reason))
            return
        if self._due is None:
            self._publisher.wait_for_all_acked(Duration(seconds=2))
            self._stop.request()

    def _publish(self, events: Events, picture: Picture) -> None:
        header = Header(stamp=self.get_clock().now().to_msg(), frame_id=self.parameters.frame_id)
        message = packet(header, events, self._number)
        self._number += 1
        self._on_publish(header, picture)
        self._publisher.publish(message)


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
