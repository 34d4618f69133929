"""The executable `classifier`: camera images in, class labels with their cost out."""

from __future__ import annotations

import sys

from snn_perception.nodes.process import Stop, run

DESCRIPTION = (
    'Subscribes to image_raw (or image_raw/compressed) and publishes ~/classification, ~/label, '
    '~/statistics, ~/energy and ~/firing_rate.'
)


def main() -> int:
    """Run the node until it is told to end; the exit status."""
    return run(_work)


def _work(stop: Stop) -> int:
    from snn_perception.nodes.parameters import ClassifierParameters
    from snn_perception.nodes.running import parse_node_arguments, ros, spin

    parse_node_arguments('classifier', DESCRIPTION, ClassifierParameters)
    with ros(sys.argv):
        from snn_perception.nodes.classifier_node import ClassifierNode

        node = ClassifierNode(stop)
        try:
            if node.parameters.autostart and not node.start():
                return 1
            spin(stop, node)
        finally:
            node.close()
    return 0
