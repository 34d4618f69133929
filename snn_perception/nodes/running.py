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

"""What every executable does around its node: arguments, ROS, spinning."""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import rclpy
from rclpy.executors import (
    ExternalShutdownException,
    ShutdownException,
    SingleThreadedExecutor,
)
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args

from snn_perception.locations import share_directory
from snn_perception.nodes.parameters.parameter_kinds import table
from snn_perception.nodes.process import Stop
from snn_perception.nodes.ros_log import logging_to

PROFILE_SETTINGS = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
"""Where Fast DDS 2 and 3 look for a profile."""

MIDDLEWARE_SETTINGS = (*PROFILE_SETTINGS, 'FASTDDS_BUILTIN_TRANSPORTS')


def parse_node_arguments(program: str, description: str, kind: type) -> None:
    """Accept nothing on the command line but arguments of ROS, and `--help`.

    Raises SystemExit: after help on the parameters in `kind`, or for a mistake.
    """
    parser = argparse.ArgumentParser(
        prog=program,
        usage='%(prog)s [--ros-args -p PARAMETER:=VALUE ... -r NAME:=NEW_NAME ... '
        '--params-file FILE ...]',
        description=description,
        epilog=parameter_help(kind),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    try:
        others = remove_ros_args(sys.argv)[1:]
    except RuntimeError as reason:
        raise SystemExit(f'{program}: {reason}') from None
    parser.parse_args(others)


def parameter_help(kind: type) -> str:
    """The parameters in the dataclass `kind` as text for a terminal."""
    lines = ['parameters:']
    for parameter in table(kind):
        lines.append(f'  {parameter.name} ({json.dumps(parameter.default)})')
        lines += textwrap.wrap(
            parameter.description, 78, initial_indent=6 * ' ', subsequent_indent=6 * ' '
        )
    return '\n'.join(lines)


@contextmanager
def ros(arguments: list[str], publishes_images: bool = False) -> Iterator[None]:
    """ROS, without its signal handlers: `process.run` has installed its own.

    Unless the user configured the middleware, a process that publishes images has memory for
    large ones, and another does not wait before it asks for what is missing of one. Raises
    SystemExit with a sentence if there is a mistake in `arguments`.
    """
    if not any(name in os.environ for name in MIDDLEWARE_SETTINGS):
        configuration = share_directory() / 'config'
        if publishes_images:
            profile = str(configuration / 'fastdds.xml')
            os.environ.update(dict.fromkeys(PROFILE_SETTINGS, profile))
        else:
            # Fast DDS 3 spells what is in it differently.
            os.environ[PROFILE_SETTINGS[0]] = str(configuration / 'fastdds_subscriber.xml')
    try:
        rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
    except RuntimeError as reason:
        raise SystemExit(f'ROS cannot start: {reason}') from None
    try:
        yield
    finally:
        rclpy.try_shutdown()


def spin(
    stop: Stop, *nodes: Any, first: Callable[[], Coroutine[Any, Any, None]] | None = None
) -> None:
    """Run the callbacks of `nodes` in this thread until `stop` is requested.

    Before all others `first` is run. What a callback raises is logged, and the others go on;
    raises BrokenPipeError, though, when nobody reads any more what the process prints.
    """
    executor = SingleThreadedExecutor()
    for node in nodes:
        executor.add_node(node)
    if first is not None and not stop.requested:
        executor.create_task(first)

    def wake() -> None:
        executor.create_task(lambda: None)

    # Not until a future is done: for that the executor takes memory in every round.
    stop.on_request(wake)
    try:
        while rclpy.ok() and not stop.requested:
            try:
                executor.spin_once()
            except (ExternalShutdownException, ShutdownException):
                break
            except BrokenPipeError:
                raise
            except Exception as reason:
                nodes[0].get_logger().error(
                    f'a callback failed: {type(reason).__name__}: {reason}'
                )
    finally:
        executor.shutdown()


def run_classifier(stop: Stop, node: Any) -> int:
    """Run a `ClassifyingNode` until `stop` is requested, and close it; the exit status."""
    try:
        with logging_to(node.get_logger()):
            spin(stop, node, first=node.autostart if node.parameters.autostart else None)
    finally:
        node.close()
    return int(node.exit_status)
