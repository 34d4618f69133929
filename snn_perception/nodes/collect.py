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

"""The executable `collect`: frames of a camera into a folder per class."""

from __future__ import annotations

import sys

from snn_perception.nodes.process import Stop, run

DESCRIPTION = (
    'Saves frames of image_raw (or image_raw/compressed) into a folder per class, as a page in '
    'the browser, keys in the terminal and the services ~/save, ~/record, ~/new_take and '
    '~/delete_last ask for.'
)


def main() -> int:
    """Run the node until it is told to end; the exit status."""
    return run(_work)


def _work(stop: Stop) -> int:
    from snn_perception.nodes.parameters.collect_parameters import CollectParameters
    from snn_perception.nodes.running import parse_node_arguments, ros, spin

    parse_node_arguments('collect', DESCRIPTION, CollectParameters)
    with ros(sys.argv):
        from snn_perception.nodes.collect_node import CollectNode
        from snn_perception.nodes.ros_log import logging_to

        node = CollectNode(stop)
        try:
            with logging_to(node.get_logger()):
                if node.start():
                    spin(stop, node)
        finally:
            node.close()
    return 1 if node.has_failed else 0
