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

"""The subscription to the packets of an event camera."""

from __future__ import annotations

from event_camera_msgs.msg import EventPacket

from snn_perception.nodes.sensor_subscription import SensorSubscription

TOPIC = 'events'

DEPTH = 128
"""Packets that may wait in the middleware while the process cannot take them: at the thousand
packets a second of a fast camera an eighth of a second."""


class EventSubscription(SensorSubscription):
    """The subscription to an event camera; see `SensorSubscription`."""

    def follow(self, reliability: str) -> bool:
        """Subscribe as `reliability` and the publishers ask for; whether anything changed."""
        return self.subscribe(EventPacket, self.topic, reliability)
