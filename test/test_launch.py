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

"""The launch file under the real launch system; skipped where that is not installed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import colour_model
import pytest

launch = pytest.importorskip('launch')
pytest.importorskip('launch_ros')
packages = pytest.importorskip('ament_index_python.packages')
rclpy = pytest.importorskip('rclpy')
pytest.importorskip('vision_msgs')

try:
    SHARE = Path(packages.get_package_share_directory('snn_perception'))
except LookupError:
    pytest.skip('snn_perception is not installed', allow_module_level=True)

LAUNCH_FILE = SHARE / 'launch' / 'classify.launch.py'
PATIENCE = 30

PROGRAM = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

arguments = [argument.split(':=', 1) for argument in sys.argv[2:]]
source = PythonLaunchDescriptionSource(sys.argv[1])
service = LaunchService()
included = IncludeLaunchDescription(source, launch_arguments=arguments)
service.include_launch_description(LaunchDescription([included]))
sys.exit(service.run())
"""


@pytest.fixture(scope='module')
def node() -> Iterator[Any]:
    """A node whose callbacks are run, in a domain that nobody else uses."""
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.task import Future

    domain = str(random.randint(1, 100))
    os.environ['ROS_DOMAIN_ID'] = domain
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=int(domain))
    node = rclpy.create_node('tester', context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    closed = Future()
    thread = threading.Thread(
        target=executor.spin_until_future_complete, args=[closed], daemon=True
    )
    thread.start()
    yield node
    closed.set_result(None)
    thread.join(PATIENCE)
    executor.shutdown()
    node.destroy_node()
    rclpy.try_shutdown(context=context)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return colour_model.save(tmp_path / '007')


def start(*arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, '-c', PROGRAM, str(LAUNCH_FILE), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def stop(process: subprocess.Popen) -> tuple[int, str]:
    """Exit status and output after Ctrl-C, which reaches all processes of a terminal."""
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, output


def wait_for(condition: Any, process: subprocess.Popen) -> Any:
    end = time.monotonic() + PATIENCE
    while not (value := condition()):
        if time.monotonic() > end or process.poll() is not None:
            pytest.fail(f'in vain: {stop(process)}' if process.poll() is None else 'it ended')
        time.sleep(0.01)
    return value


def test_every_argument_is_described() -> None:
    from launch.launch_description_sources import PythonLaunchDescriptionSource

    description = PythonLaunchDescriptionSource(str(LAUNCH_FILE)).get_launch_description(
        launch.LaunchContext()
    )
    arguments = {argument.name: argument for argument in description.get_launch_arguments()}
    assert set(arguments) == {
        *('model', 'backend', 'device', 'image_topic', 'image_transport', 'namespace'),
        *('params_file', 'autostart', 'log_level', 'demo'),
    }
    assert all(len(argument.description) > 10 for argument in arguments.values())


@pytest.mark.parametrize('transport', ['raw', 'compressed'])
def test_demo_classifies_in_its_namespace_on_the_topic_asked_for(
    node: Any, model: Path, transport: str
) -> None:
    from std_msgs.msg import String

    labels: list[String] = []
    namespace = f'front_{transport}'
    topic = f'/{namespace}/snn_classifier/label'
    subscription = node.create_subscription(String, topic, labels.append, 10)
    process = start(
        'demo:=true',
        f'model:={model}',
        'backend:=reference',
        f'namespace:={namespace}',
        'image_topic:=lens/image',
        f'image_transport:={transport}',
    )
    wait_for(lambda: labels, process)
    suffix = '/compressed' if transport == 'compressed' else ''
    wait_for(lambda: node.count_publishers(f'/{namespace}/lens/image{suffix}') == 1, process)
    node.destroy_subscription(subscription)
    status, output = stop(process)
    assert status == 0, output
    assert output.count('process has finished cleanly') == 2
    assert 'Traceback' not in output


def get_parameters(node: Any, process: subprocess.Popen, names: list[str]) -> list[Any]:
    from rcl_interfaces.srv import GetParameters

    client = node.create_client(GetParameters, '/snn_classifier/get_parameters')
    wait_for(client.service_is_ready, process)
    future = client.call_async(GetParameters.Request(names=names))
    wait_for(future.done, process)
    node.destroy_client(client)
    return list(future.result().values)


def test_arguments_win_over_the_file_and_the_file_over_the_defaults(
    node: Any, model: Path, tmp_path: Path
) -> None:
    text = (SHARE / 'config' / 'classify.yaml').read_text()
    own = tmp_path / 'own.yaml'
    own.write_text(
        text.replace('mode: frame ', 'mode: stream ').replace('device: auto ', 'device: toaster ')
    )
    process = start(f'params_file:={own}', f'model:={model}', 'device:=cpu', 'autostart:=false')
    found = get_parameters(node, process, ['mode', 'device', 'autostart', 'model', 'backend'])
    status, _ = stop(process)
    assert status == 0
    assert [value.string_value for value in found] == ['stream', 'cpu', '', str(model), 'auto']
    assert found[2].bool_value is False


def test_classifier_that_cannot_be_configured_ends_and_says_why(node: Any) -> None:
    process = start('model:=123', 'backend:=reference')
    output, _ = process.communicate(timeout=PATIENCE)
    assert "model '123' is not found" in output
    assert 'exit code 1' in output
