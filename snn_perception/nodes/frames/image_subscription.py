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

"""The subscription to a camera, to images as they are or to compressed ones."""

from __future__ import annotations

from typing import Protocol

from sensor_msgs.msg import CompressedImage, Image

from snn_perception.nodes.sensor_subscription import SensorSubscription


class Wanted(Protocol):
    """The parameters that a subscription follows."""

    @property
    def image_transport(self) -> str:
        """'raw' or 'compressed'."""

    @property
    def reliability(self) -> str:
        """'auto', 'best_effort' or 'reliable'."""


class ImageSubscription(SensorSubscription):
    """The subscription to the camera on a topic; see `SensorSubscription`."""

    def follow(self, parameters: Wanted) -> bool:
        """Subscribe as `parameters` and the publishers ask for; whether anything changed."""
        is_compressed = parameters.image_transport == 'compressed'
        kind = CompressedImage if is_compressed else Image
        topic = self.topic + '/compressed' * is_compressed
        return self.subscribe(kind, topic, parameters.reliability)
