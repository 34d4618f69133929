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

"""The demo, from its command line to its exit status."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import colour_model
import cv2
import numpy as np
import pytest
import yaml
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from std_msgs.msg import Header, String
from vision_msgs.msg import Classification, ObjectHypothesis
from waiting import wait_until

from snn_perception.datasets.sources import Picture
from snn_perception.demo.scoreboard import AVERAGED
from snn_perception.demo.viewer import ViewerNode
from snn_perception.nodes.process import Stop


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One image in a folder for each colour."""
    for colour in colour_model.LABELS:
        path = tmp_path / 'images' / colour / '1.png'
        path.parent.mkdir(parents=True)
        cv2.imwrite(str(path), colour_model.image(colour, 30, 40)[..., ::-1])
    return tmp_path / 'images'


def demo(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, '-m', 'snn_perception', 'demo', *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_demo_ends_after_so_many_answers_and_sums_them_up(
    folder: Path, model_folder: Path, tmp_path: Path
) -> None:
    picture = tmp_path / 'sheet.png'
    done = demo(
        *('--frames', '6', '--rate', '20', '--size', '320x240'),
        *('--model', str(model_folder), '--backend', 'reference', '--source', str(folder)),
        *('--picture', str(picture)),
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.strip().splitlines()
    assert lines[0].split()[:3] == ['frame', 'shown', 'label']
    rows = [line.split() for line in lines[1:7]]
    assert [row[0] for row in rows] == ['1', '2', '3', '4', '5', '6']
    assert all(row[1] == row[2] for row in rows)
    assert lines[8].startswith('6 of 6 right.')
    assert cv2.imread(str(picture)) is not None


def test_demo_takes_arguments_of_ros_and_its_own_options_win(
    folder: Path, model_folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / 'own.yaml'
    own = {'rate': 25.0, 'width': 320, 'height': 240, 'source': str(folder)}
    file.write_text(yaml.safe_dump({'/**/camera': {'ros__parameters': own}}))
    done = demo(
        *('--frames', '2', '--rate', '30', '--backend', 'reference', '--ros-args'),
        *('--params-file', str(file), '-p', f'model:={model_folder}'),
        *('-r', 'image_raw:=/lens/image', '-r', '__ns:=/robot'),
    )
    assert done.returncode == 0, done.stderr
    assert f'[robot.camera]: publishing {folder} at 30 Hz on /lens/image' in done.stderr
    assert '2 of 2 right.' in done.stdout


def test_demo_shows_the_images_that_are_shipped_for_the_model() -> None:
    done = demo('--frames', '1', '--model', 'cifar10')
    assert done.returncode == 0, done.stderr
    assert 'publishing package://snn_perception/resource/images/photos at' in done.stderr


def test_demo_shows_what_a_file_of_parameters_says_rather_than_shipped_images(
    folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / 'own.yaml'
    own = {'source': str(folder)}
    file.write_text(yaml.safe_dump({'/**/camera': {'ros__parameters': own}}))
    done = demo(
        *('--frames', '1', '--model', 'cifar10', '--ros-args'),
        *('--params-file', str(file), '-r', '__ns:=/robot'),
    )
    assert done.returncode == 0, done.stderr
    assert f'publishing {folder} at' in done.stderr


def test_viewer_keeps_no_pictures_of_frames_that_were_dropped(robot: Any) -> None:
    viewer = ViewerNode(Stop(), 0, lambda name: name.replace('~', f'{robot.namespace}/classifier'))
    robot.add(viewer)
    classified = robot.publisher(Classification, 'classifier/classification')
    measured = robot.publisher(DiagnosticArray, 'classifier/statistics')
    headers = [Header(stamp=Time(sec=number)) for number in (1, 2, 3)]
    kept = []
    for header in headers:
        picture = Picture(np.zeros((2, 2), np.uint8), '', 'red')
        viewer.expect(header, picture)
        kept.append(weakref.ref(picture))
    del picture
    best = ObjectHypothesis(class_id='red', score=0.9)
    classified.publish(Classification(header=headers[1], results=[best]))
    values = [KeyValue(key=key, value='1') for key in (*AVERAGED, 'energy_loihi_j')]
    status = DiagnosticStatus(values=values)
    measured.publish(DiagnosticArray(header=headers[1], status=[status]))
    wait_until(lambda: viewer.scoreboard.count, 'the answer')
    gc.collect()
    assert [picture() is None for picture in kept] == [True, False, False]


def test_demo_finds_the_answers_of_a_classifier_by_another_name(
    folder: Path, model_folder: Path
) -> None:
    done = demo(
        *('--frames', '1', '--backend', 'reference', '--source', str(folder)),
        *('--model', str(model_folder), '--ros-args', '-r', 'snn_classifier:__node:=eyes'),
    )
    assert done.returncode == 0, done.stderr
    assert '1 of 1 right.' in done.stdout


def test_demo_refuses_wrong_arguments_of_ros_with_a_sentence() -> None:
    done = demo('--ros-args', '-p')
    assert done.returncode == 1
    assert done.stderr.startswith('demo: Failed to parse ROS arguments: ')
    assert 'Traceback' not in done.stderr


def test_demo_ends_when_its_classifier_is_shut_down(
    robot: Any, folder: Path, model_folder: Path
) -> None:
    from lifecycle_msgs.msg import Transition
    from lifecycle_msgs.srv import ChangeState

    arguments = ('--model', str(model_folder), '--backend', 'reference', '--source', str(folder))
    process = subprocess.Popen(
        [
            *(sys.executable, '-m', 'snn_perception', 'demo', *arguments),
            *('--ros-args', '-r', f'__ns:={robot.namespace}'),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    robot.listen(String, 'snn_classifier/label').wait_for()
    client = robot.node.create_client(ChangeState, 'snn_classifier/change_state')
    assert client.wait_for_service(20)
    shutdown = Transition(id=Transition.TRANSITION_ACTIVE_SHUTDOWN)
    client.call_async(ChangeState.Request(transition=shutdown))
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert 'right. On average' in output


def test_demo_without_a_model_ends_with_a_sentence() -> None:
    done = demo('--frames', '1', '--model', 'no_such_model')
    assert done.returncode == 1
    assert "model 'no_such_model' is not found" in done.stderr
    assert 'Traceback' not in done.stderr


def test_demo_without_images_ends_with_a_sentence(model_folder: Path, tmp_path: Path) -> None:
    done = demo('--model', str(model_folder), '--backend', 'reference', '--source', str(tmp_path))
    assert done.returncode == 1
    assert 'holds no images' in done.stderr
    assert 'Traceback' not in done.stderr


@pytest.mark.parametrize(
    'arguments',
    [
        ('--frames', '0'),
        ('--frames', 'many'),
        ('--rate', '0'),
        ('--rate', 'nan'),
        ('--size', '640'),
        ('--size', '0x480'),
        ('--picture', '/no/such/folder/sheet.png'),
        ('--picture', '/tmp'),
    ],
)
def test_wrong_argument_is_refused_with_a_sentence(arguments: tuple[str, str]) -> None:
    done = demo(*arguments)
    assert done.returncode == 2
    assert f'argument {arguments[0]}' in done.stderr


def test_demo_ends_quietly_when_nobody_reads_on(folder: Path, model_folder: Path) -> None:
    arguments = ('--model', str(model_folder), '--backend', 'reference', '--source', str(folder))
    process = subprocess.Popen(
        [sys.executable, '-m', 'snn_perception', 'demo', *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert [process.stdout.readline() for _ in range(2)][1].startswith('frame')
    process.stdout.close()
    errors = process.stderr.read()
    assert process.wait(30) == 0
    assert 'Traceback' not in errors
