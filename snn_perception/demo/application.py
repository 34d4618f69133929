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

"""The executable `demo`: both nodes and a viewer in one process, over real topics."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snn_perception.nodes.process import Stop, run
from snn_perception.targets import file_to_write

if TYPE_CHECKING:
    from rclpy.parameter import Parameter

    from snn_perception.demo.scoreboard import Scoreboard


def main() -> int:
    """Show the classifier at work until told to stop; returns the exit status."""
    try:
        return run(_work)
    except BrokenPipeError:
        # The reader is gone, as with `demo | head`; the interpreter must not write again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='demo',
        description='Publishes images as a camera would, classifies them with a spiking network, '
        'and prints the answers, all over ROS topics.',
        epilog='Arguments of ROS follow, as in: --ros-args -p min_confidence:=0.9 '
        '-r image_raw:=/lens/image --params-file FILE',
    )
    parser.add_argument(
        '--frames', type=_count, default=0, help='stop after this many answers (default: never)'
    )
    parser.add_argument('--rate', type=_rate, metavar='HZ', help='images per second (default: 4)')
    parser.add_argument(
        '--size',
        type=_size,
        metavar='WIDTHxHEIGHT',
        help='size of the camera in pixels (default: 640x480)',
    )
    parser.add_argument(
        '--source',
        metavar='PATH',
        help='what the camera shows (default: the images shipped for the model, or else digits)',
    )
    parser.add_argument(
        '--model',
        help='a shipped model, a folder or a NIR file (default: mnist, or nmnist for events)',
    )
    parser.add_argument(
        '--events',
        action='store_true',
        help='with an event camera, before which images move, and a network of events',
    )
    parser.add_argument('--backend', help='the engine (default: auto)')
    parser.add_argument(
        '--picture',
        type=file_to_write,
        metavar='FILE.png',
        help='save the last answers as a picture',
    )
    options = parser.parse_args(_without_ros(sys.argv)[1:])
    if options.events and options.rate:
        parser.error('--rate is that of a camera of images; events come at their own')
    return options


def _without_ros(arguments: list[str]) -> list[str]:
    """`arguments` without those that are for ROS, which need not be there for `--help`."""
    if '--ros-args' not in arguments:
        return arguments
    from rclpy.utilities import remove_ros_args

    try:
        return remove_ros_args(arguments)
    except RuntimeError as reason:
        raise SystemExit(f'demo: {reason}') from None


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'must be a whole number of at least 1, not {text!r}')
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0.01 <= rate <= 1000:
        raise argparse.ArgumentTypeError(f'must be a number from 0.01 to 1000, not {text!r}')
    return rate


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition('x')
    if not (width.isdecimal() and height.isdecimal()):
        raise argparse.ArgumentTypeError(f'must be a size such as 640x480, not {text!r}')
    if not (1 <= int(width) <= 8192 and 1 <= int(height) <= 8192):
        raise argparse.ArgumentTypeError(f'width and height must be from 1 to 8192, not {text!r}')
    return int(width), int(height)


def _work(stop: Stop) -> int:
    options = _parse()
    from snn_perception.demo.shipped_images import arguments_for
    from snn_perception.locations import share_directory
    from snn_perception.nodes.running import ros

    arguments = ['demo', '--ros-args']
    for name in ('event_classify.yaml' if options.events else 'classify.yaml', 'demo.yaml'):
        arguments += ['--params-file', str(share_directory() / 'config' / name)]
    if not options.events:
        arguments += arguments_for(options.model)
    # The later ones win.
    with ros([*arguments, '--', *sys.argv[1:]], publishes_images=True):
        status, scoreboard = _show(stop, options)
    if scoreboard.count:
        print(f'\n{scoreboard.verdict} {scoreboard.averages}', flush=True)
        if options.picture is not None:
            _save(options.picture, scoreboard)
    return status


def _show(stop: Stop, options: argparse.Namespace) -> tuple[int, Scoreboard]:
    """Run the nodes until `stop`; returns the exit status and the answers to what was shown."""
    from snn_perception.demo.viewer import ViewerNode
    from snn_perception.nodes.running import spin

    classify, show = _kinds(options.events)
    width, height = options.size or (None, None)
    shown = _parameters(rate=options.rate, width=width, height=height, source=options.source)
    asked = _parameters(model=options.model, backend=options.backend)
    classifier = classify(stop, parameter_overrides=asked)
    viewer = ViewerNode(stop, options.frames, classifier.resolve_topic_name)
    camera = show(stop, on_publish=viewer.expect, parameter_overrides=shown)
    try:
        if classifier.parameters.autostart and not classifier.start():
            return 1, viewer.scoreboard
        viewer.when_connected(camera.start)
        spin(stop, camera, classifier, viewer)
    finally:
        classifier.close()
        camera.destroy_node()
        viewer.destroy_node()
    return int(camera.has_failed), viewer.scoreboard


def _kinds(hears_events: bool) -> tuple[Any, Any]:
    """The nodes that classify, and that show something to classify."""
    if hears_events:
        from snn_perception.nodes.event_camera_node import EventCameraNode
        from snn_perception.nodes.event_classifier_node import EventClassifierNode

        return EventClassifierNode, EventCameraNode
    from snn_perception.nodes.camera_node import CameraNode
    from snn_perception.nodes.classifier_node import ClassifierNode

    return ClassifierNode, CameraNode


def _parameters(**values: object) -> list[Parameter]:
    """Parameters of a node from `values`; a value of None leaves the default."""
    from rclpy.parameter import Parameter

    return [Parameter(name, value=value) for name, value in values.items() if value is not None]


def _save(path: Path, scoreboard: Scoreboard) -> None:
    from snn_perception.demo.contact_sheet import save

    try:
        save(path, scoreboard)
    except ValueError as reason:
        raise SystemExit(str(reason)) from None
    print(f'The last images and their answers are in {path}.')
