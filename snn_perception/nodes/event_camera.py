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

"""The executable `event_camera`: publishes a recording of events, or images as events."""

from __future__ import annotations

import sys

from snn_perception.nodes.process import Stop, run

DESCRIPTION = 'Publishes recordings, or images before a simulated sensor, as events.'


def main() -> int:
    """Run the node until it is told to end, or its recordings do; the exit status."""
    return run(_work)


def _work(stop: Stop) -> int:
    from snn_perception.nodes.parameters.event_camera_parameters import EventCameraParameters
    from snn_perception.nodes.running import parse_node_arguments, ros, spin

    parse_node_arguments('event_camera', DESCRIPTION, EventCameraParameters)
    with ros(sys.argv, publishes_images=True):
        from snn_perception.nodes.event_camera_node import EventCameraNode

        node = EventCameraNode(stop)
        try:
            if node.start():
                spin(stop, node)
        finally:
            node.destroy_node()
    return 1 if node.has_failed else 0
