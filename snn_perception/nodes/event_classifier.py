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

"""The executable `event_classifier`: events of a camera in, class labels with their cost out."""

from __future__ import annotations

import sys

from snn_perception.nodes.process import Stop, run

DESCRIPTION = (
    'Subscribes to events (event_camera_msgs/EventPacket) and publishes ~/classification, '
    '~/label, ~/statistics, ~/energy and ~/firing_rate.'
)


def main() -> int:
    """Run the node until it is told to end; the exit status."""
    return run(_work)


def _work(stop: Stop) -> int:
    from snn_perception.nodes.parameters.event_parameters import EventClassifierParameters
    from snn_perception.nodes.running import parse_node_arguments, ros, run_classifier

    parse_node_arguments('event_classifier', DESCRIPTION, EventClassifierParameters)
    with ros(sys.argv):
        from snn_perception.nodes.event_classifier_node import EventClassifierNode

        return run_classifier(stop, EventClassifierNode(stop))
