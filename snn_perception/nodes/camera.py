"""The executable `camera`: publishes a folder of images, a video file or a webcam."""

from __future__ import annotations

import sys

from snn_perception.nodes.process import Stop, run

DESCRIPTION = 'Publishes images as image_raw, or as image_raw/compressed.'


def main() -> int:
    """Run the node until it is told to end, or its images do; the exit status."""
    return run(_work)


def _work(stop: Stop) -> int:
    from snn_perception.nodes.parameters import CameraParameters
    from snn_perception.nodes.running import parse_node_arguments, ros, spin

    parse_node_arguments('camera', DESCRIPTION, CameraParameters)
    with ros(sys.argv):
        from snn_perception.nodes.camera_node import CameraNode

        node = CameraNode(stop)
        try:
            if node.start():
                spin(stop, node)
        finally:
            node.destroy_node()
    return 1 if node.has_failed else 0
