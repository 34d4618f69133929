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

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import colour_model
import event_sides
import pytest

# Not imported here: launch has all loggers of its process keep to themselves what they are told.
for name in ('launch', 'launch_ros', 'ament_index_python', 'rclpy', 'vision_msgs'):
    if find_spec(name) is None:
        pytest.skip(f'{name} is not installed', allow_module_level=True)

try:
    SHARE = Path(import_module('ament_index_python').get_package_share_directory('snn_perception'))
except LookupError:
    pytest.skip('snn_perception is not installed', allow_module_level=True)

LAUNCH_FILE = SHARE / 'launch' / 'classify.launch.py'
PATIENCE = 30

# A launch file that includes ours, as that of a robot does.
PROGRAM = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import EmitEvent, GroupAction, IncludeLaunchDescription, RegisterEventHandler
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_ros.actions import PushRosNamespace
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState
from lifecycle_msgs.msg import Transition

def change_state(transition):
    everyone = {{'lifecycle_node_matcher': lambda node: True}}
    return EmitEvent(event=ChangeState(transition_id=transition, **everyone))

arguments = [argument.split(':=', 1) for argument in sys.argv[2:]]
source = PythonLaunchDescriptionSource(sys.argv[1])
included = IncludeLaunchDescription(source, launch_arguments=arguments)
service = LaunchService()
service.include_launch_description(LaunchDescription([{entities}]))
sys.exit(service.run())
"""


@pytest.fixture(scope='module')
def node() -> Iterator[Any]:
    """A node whose callbacks are run, in a domain that nobody else uses."""
    import rclpy
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


def start(*arguments: str, entities: str = 'included') -> subprocess.Popen:
    """Launch `entities`, which are Python code in PROGRAM, with arguments of our launch file."""
    program = PROGRAM.format(entities=entities)
    return subprocess.Popen(
        [sys.executable, '-c', program, str(LAUNCH_FILE), *arguments],
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


def end_of(process: subprocess.Popen) -> tuple[int, str]:
    """Exit status and output of a launch that ends by itself; every process must be gone then."""
    try:
        output, _ = process.communicate(timeout=PATIENCE)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    return process.returncode, output


def pid_of(name: str, process: subprocess.Popen) -> int | None:
    """The process of the executable `name` under a launch, once there is one."""
    children = Path(f'/proc/{process.pid}/task/{process.pid}/children').read_text()
    for child in children.split():
        with suppress(OSError):
            if f'/{name}\0' in Path(f'/proc/{child}/cmdline').read_text():
                return int(child)
    return None


def wait_for(condition: Any, process: subprocess.Popen) -> Any:
    end = time.monotonic() + PATIENCE
    while not (value := condition()):
        if time.monotonic() > end or process.poll() is not None:
            pytest.fail(f'in vain: {stop(process)}' if process.poll() is None else 'it ended')
        time.sleep(0.01)
    return value


def test_every_argument_is_described() -> None:
    program = """
import json, sys
from launch import LaunchContext
from launch.launch_description_sources import PythonLaunchDescriptionSource

source = PythonLaunchDescriptionSource(sys.argv[1])
arguments = source.get_launch_description(LaunchContext()).get_launch_arguments()
print(json.dumps({argument.name: argument.description for argument in arguments}))
"""
    told = subprocess.check_output([sys.executable, '-c', program, str(LAUNCH_FILE)], text=True)
    descriptions = json.loads(told)
    assert set(descriptions) == {
        *('model', 'backend', 'device', 'image_topic', 'image_transport', 'namespace'),
        *('image_topics', 'params_file', 'autostart', 'log_level', 'demo'),
        *('use_sim_time', 'respawn', 'respawn_delay', 'input', 'event_topic'),
    }
    assert all(len(description) > 10 for description in descriptions.values())


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
        'demo:=True',
        'log_level:=WARN',
        'autostart:=TRUE',
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


def test_demo_shows_the_images_that_the_model_knows(node: Any) -> None:
    from rcl_interfaces.srv import GetParameters

    process = start('demo:=true', 'model:=everyday', 'namespace:=things')
    service = '/things/camera/get_parameters'
    response = call(node, process, GetParameters, service, names=['source'])
    [source] = response.values
    assert source.string_value == 'package://snn_perception/resource/images/everyday'
    status, output = stop(process)
    assert status == 0, output


@pytest.mark.skipif(not find_spec('event_camera_msgs'), reason='event_camera_msgs is not there')
def test_nodes_for_events_are_started_on_request(node: Any, tmp_path: Path) -> None:
    from std_msgs.msg import String

    labels: list[String] = []
    node.create_subscription(String, '/eyes/event_classifier/label', labels.append, 10)
    process = start(
        'input:=events',
        'demo:=true',
        f'model:={event_sides.save(tmp_path / "sides")}',
        'backend:=reference',
        'namespace:=eyes',
        'event_topic:=lens/events',
    )
    wait_for(lambda: labels, process)
    assert node.count_publishers('/eyes/lens/events') == 1
    status, output = stop(process)
    assert status == 0, output
    assert output.count('process has finished cleanly') == 2


def test_arguments_of_images_are_refused_for_events() -> None:
    status, output = end_of(start('input:=events', 'image_transport:=compressed'))
    assert status == 1
    assert 'image_transport is of images, and input is events' in output


def call(node: Any, process: subprocess.Popen, kind: Any, service: str, **fields: Any) -> Any:
    """The response of a service of a launched node, which is asked again if the answer is lost."""
    client = node.create_client(kind, service)
    wait_for(client.service_is_ready, process)

    def answer() -> Any:
        arrived = threading.Event()
        future = client.call_async(kind.Request(**fields))
        future.add_done_callback(lambda _: arrived.set())
        return future.result() if arrived.wait(3) else None

    response = wait_for(answer, process)
    node.destroy_client(client)
    return response


def state(node: Any, process: subprocess.Popen, name: str = '/snn_classifier') -> str:
    """The state of the lifecycle of the node `name`."""
    from lifecycle_msgs.srv import GetState

    return call(node, process, GetState, f'{name}/get_state').current_state.label


def test_arguments_win_over_the_file_and_the_file_over_the_defaults(
    node: Any, model: Path, tmp_path: Path
) -> None:
    text = (SHARE / 'config' / 'classify.yaml').read_text()
    own = tmp_path / 'own.yaml'
    own.write_text(
        text.replace('mode: frame ', 'mode: stream ').replace('device: auto ', 'device: toaster ')
    )
    from rcl_interfaces.srv import GetParameters

    process = start(f'params_file:={own}', f'model:={model}', 'device:=cpu', 'autostart:=false')
    names = ['mode', 'device', 'autostart', 'model', 'backend']
    service = '/snn_classifier/get_parameters'
    found = call(node, process, GetParameters, service, names=names).values
    status, _ = stop(process)
    assert status == 0
    assert [value.string_value for value in found] == ['stream', 'cpu', '', str(model), 'auto']
    assert found[2].bool_value is False


def test_several_cameras_and_simulated_time_are_parameters_of_the_classifier(node: Any) -> None:
    from rcl_interfaces.srv import GetParameters

    process = start(
        'image_topics:=[/front/image, rear/image]', 'use_sim_time:=True', 'autostart:=false'
    )
    service = '/snn_classifier/get_parameters'
    names = ['image_topics', 'use_sim_time']
    topics, is_simulated = call(node, process, GetParameters, service, names=names).values
    assert stop(process)[0] == 0
    assert topics.string_array_value == ['/front/image', 'rear/image']
    assert is_simulated.bool_value


@pytest.mark.parametrize(
    ('argument', 'sentence'),
    [
        ('autostart:=maybe', "autostart must be one of true, false, not 'maybe'"),
        ('use_sim_time:=1', "use_sim_time must be one of true, false, not '1'"),
        ('demo:=yes', "demo must be one of true, false, not 'yes'"),
        ('respawn:=', "respawn must be one of true, false, not ''"),
        ('respawn_delay:=0', "respawn_delay must be a number of seconds greater than 0, not '0'"),
        (
            'log_level:=loud',
            "log_level must be one of debug, info, warn, error, fatal, not 'loud'",
        ),
        ('image_topics:=/front/image', 'image_topics must be a list such as [/front/image_raw, '),
        ('input:=radar', "input must be one of images, events, not 'radar'"),
        ('params_file:=/no/such.yaml', 'params_file must be a YAML file with parameters, and '),
    ],
)
def test_wrong_argument_ends_the_launch_with_its_name_and_what_is_right(
    argument: str, sentence: str
) -> None:
    status, output = end_of(start('demo:=true', argument))
    assert status == 1
    assert sentence in output
    assert 'process started' not in output


def test_classifier_that_cannot_be_configured_ends_the_launch_and_says_why(node: Any) -> None:
    status, output = end_of(start('model:=123', 'backend:=reference', 'demo:=true'))
    assert status == 1
    assert "model '123' is not found" in output
    assert '/snn_classifier has died with exit code 1' in output


def test_classifier_that_dies_takes_the_camera_and_the_launch_with_it(
    node: Any, model: Path
) -> None:
    process = start(f'model:={model}', 'backend:=reference', 'demo:=true')
    wait_for(lambda: node.count_publishers('/image_raw'), process)
    os.kill(wait_for(lambda: pid_of('classifier', process), process), signal.SIGKILL)
    status, output = end_of(process)
    assert status == 1
    assert '/snn_classifier has died with exit code -9' in output


def test_classifier_that_died_is_started_again_on_request(node: Any, model: Path) -> None:
    process = start(f'model:={model}', 'backend:=reference', 'respawn:=true', 'respawn_delay:=0.1')
    first = wait_for(lambda: pid_of('classifier', process), process)
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: pid_of('classifier', process) not in (None, first), process)
    wait_for(lambda: state(node, process) == 'active', process)
    assert stop(process)[0] == 0


@pytest.mark.parametrize('respawn', ['false', 'true'])
@pytest.mark.parametrize('road', ['a signal', 'its lifecycle'])
def test_launch_ends_in_peace_with_a_classifier_that_was_asked_to_end(
    node: Any, model: Path, respawn: str, road: str
) -> None:
    from lifecycle_msgs.msg import Transition
    from lifecycle_msgs.srv import ChangeState

    process = start(f'model:={model}', 'backend:=reference', 'demo:=true', f'respawn:={respawn}')
    wait_for(lambda: node.count_publishers('/image_raw'), process)
    wait_for(lambda: state(node, process) == 'active', process)
    if road == 'a signal':
        os.kill(pid_of('classifier', process), signal.SIGINT)
    else:
        shutdown = Transition(id=Transition.TRANSITION_ACTIVE_SHUTDOWN)
        client = node.create_client(ChangeState, '/snn_classifier/change_state')
        wait_for(client.service_is_ready, process)
        client.call_async(ChangeState.Request(transition=shutdown))
    status, output = end_of(process)
    assert status == 0, output
    assert output.count('process has finished cleanly') == 2


def test_including_launch_file_chooses_the_namespace_and_moves_through_the_lifecycle(
    node: Any, model: Path
) -> None:
    process = start(
        f'model:={model}',
        'backend:=reference',
        'autostart:=false',
        'namespace:=front',
        entities="""
            GroupAction([PushRosNamespace('robot'), included]),
            RegisterEventHandler(OnStateTransition(
                goal_state='inactive', entities=[change_state(Transition.TRANSITION_ACTIVATE)]
            )),
            change_state(Transition.TRANSITION_CONFIGURE),
        """,
    )
    name = '/robot/front/snn_classifier'
    wait_for(lambda: state(node, process, name) == 'active', process)
    assert stop(process)[0] == 0
