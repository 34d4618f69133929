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

"""The node that collects pictures, over real topics and services."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from camera_takes import picture
from colour_frames import frame
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from sensor_msgs.msg import CompressedImage, Image
from std_srvs.srv import SetBool, Trigger
from waiting import wait_until

from snn_perception.images import read_image
from snn_perception.nodes.process import Stop


@pytest.fixture
def create_collector(robot: Any, model_folder: Path, tmp_path: Path) -> Callable[..., Any]:
    """Makes a node with parameters by name, without a page or keys unless they say so."""
    from rclpy.parameter import Parameter

    from snn_perception.nodes.collect_node import CollectNode

    def create(started: bool = True, **parameters: Any) -> Any:
        usual = {'model': str(model_folder), 'folder': str(tmp_path / 'collected')}
        values = {**usual, 'page': False, 'keyboard': False, **parameters}
        node = CollectNode(
            Stop(),
            namespace=robot.namespace,
            parameter_overrides=[Parameter(name, value=value) for name, value in values.items()],
        )
        robot.add(node)
        assert node.start() == started
        return node

    return create


class Camera:
    """Publishes pictures until the collector has taken one up."""

    def __init__(self, robot: Any, node: Any) -> None:
        self._publisher = robot.publisher(Image, 'image_raw')
        self._node = node
        self._steps = count()

    def show(self, pixels: np.ndarray | None = None) -> np.ndarray:
        """Show something new, or these `pixels`, until the collector has them."""
        pixels = picture('red', next(self._steps)) if pixels is None else pixels

        def is_seen() -> bool:
            self._publisher.publish(frame('', pixels=pixels))
            time.sleep(0.02)
            seen = self._node.collection.frame
            return seen is not None and np.array_equal(seen.picture, pixels)

        wait_until(is_seen, 'the collector to see the frame')
        return pixels

    def send(self, message: Image) -> None:
        self._publisher.publish(message)


def pictures(folder: Path) -> list[Path]:
    return sorted(folder.rglob('*.png'))


def set_parameter(robot: Any, name: str, text: str) -> Any:
    value = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=text)
    parameters = [Parameter(name=name, value=value)]
    [result] = robot.call(
        SetParameters, 'snn_collect/set_parameters', parameters=parameters
    ).results
    return result


def test_services_save_the_newest_frame_of_the_class_and_delete_it(
    robot: Any, create_collector: Any, tmp_path: Path
) -> None:
    camera = Camera(robot, create_collector(class_name='mug'))
    shown = camera.show()
    answer = robot.call(Trigger, 'snn_collect/save')
    assert answer.success, answer.message
    [path] = pictures(tmp_path)
    assert answer.message == f'saved {path}'
    assert path.parts[-3] == 'mug'
    np.testing.assert_array_equal(read_image(path), shown)
    again = robot.call(Trigger, 'snn_collect/save')
    assert (again.success, again.message.startswith('skipped: ')) == (False, True)
    assert robot.call(Trigger, 'snn_collect/delete_last').success
    assert pictures(tmp_path) == []


def test_the_class_is_a_parameter_that_changes_at_any_time(
    robot: Any, create_collector: Any, tmp_path: Path
) -> None:
    camera = Camera(robot, create_collector())
    camera.show()
    refused = robot.call(Trigger, 'snn_collect/save')
    assert not refused.success
    assert 'class_name' in refused.message
    for name in ('mug', 'box of tea'):
        assert set_parameter(robot, 'class_name', name).successful
        assert robot.call(Trigger, 'snn_collect/save').success
    assert [path.parts[-3] for path in pictures(tmp_path)] == ['box of tea', 'mug']
    for name in ('a/b', 'Mug'):
        result = set_parameter(robot, 'class_name', name)
        assert not result.successful
        assert f"a class cannot be called '{name}'" in result.reason


def test_a_recording_ends_on_request(robot: Any, create_collector: Any, tmp_path: Path) -> None:
    camera = Camera(robot, create_collector(class_name='mug', record_rate=60.0))
    camera.show()
    assert robot.call(SetBool, 'snn_collect/record', data=True).success
    while len(pictures(tmp_path)) < 3:
        camera.show()
    assert robot.call(SetBool, 'snn_collect/record', data=False).success
    saved = pictures(tmp_path)
    camera.show()
    assert pictures(tmp_path) == saved
    assert len({path.parent for path in saved}) == 1
    assert robot.call(Trigger, 'snn_collect/new_take').success
    assert robot.call(Trigger, 'snn_collect/save').success
    assert len({path.parent for path in pictures(tmp_path)}) == 2


def test_frames_that_cannot_be_read_are_counted_and_named_and_not_saved(
    robot: Any, create_collector: Any, tmp_path: Path
) -> None:
    node = create_collector(class_name='mug')
    camera = Camera(robot, node)
    broken = frame('red')
    broken.encoding = 'purple'

    def is_counted() -> bool:
        camera.send(broken)
        time.sleep(0.02)
        return node.collection.totals.unreadable > 0

    wait_until(is_counted, 'a frame that cannot be read')
    assert "encoding 'purple' is unknown" in node.collection.totals.last_unreadable
    assert not robot.call(Trigger, 'snn_collect/save').success
    camera.show()
    assert robot.call(Trigger, 'snn_collect/save').success


def test_a_large_frame_is_shrunk_and_only_its_region_is_saved(
    robot: Any, create_collector: Any, tmp_path: Path
) -> None:
    node = create_collector(class_name='mug', roi=[0.25, 0.25, 0.5, 0.5], largest_side=16)
    publisher = robot.publisher(Image, 'image_raw')
    shown = picture('red', 1, 48, 64)

    def is_seen() -> bool:
        publisher.publish(frame('', pixels=shown))
        time.sleep(0.02)
        return node.collection.frame is not None

    wait_until(is_seen, 'a frame')
    assert robot.call(Trigger, 'snn_collect/save').success
    [path] = pictures(tmp_path)
    saved = read_image(path)
    assert saved.shape == (12, 16, 3)
    region = shown[12:36, 16:48]
    assert abs(float(saved.mean()) - float(region.mean())) < 3


def test_compressed_images_are_taken_where_they_are_asked_for(
    robot: Any, create_collector: Any, tmp_path: Path
) -> None:
    import cv2

    node = create_collector(class_name='mug', image_transport='compressed')
    publisher = robot.publisher(CompressedImage, 'image_raw/compressed')
    shown = picture('green', 1)
    data = cv2.imencode('.png', shown[..., ::-1])[1].tobytes()

    def is_seen() -> bool:
        publisher.publish(CompressedImage(format='png', data=data))
        time.sleep(0.02)
        return node.collection.frame is not None

    wait_until(is_seen, 'a frame')
    assert robot.call(Trigger, 'snn_collect/save').success
    np.testing.assert_array_equal(read_image(pictures(tmp_path)[0]), shown)


def test_a_camera_that_is_not_there_is_named(robot: Any, create_collector: Any) -> None:
    node = create_collector()
    assert node._camera()[1] == f'nobody publishes {robot.namespace}/image_raw'
    assert 'no frame yet' in robot_save(robot, node)


def robot_save(robot: Any, node: Any) -> str:
    assert set_parameter(robot, 'class_name', 'mug').successful
    return str(robot.call(Trigger, 'snn_collect/save').message)


@pytest.mark.parametrize(
    'parameters',
    [
        {'model': 'no_such_model'},
        {'folder': '/dev/null/pictures'},
        {'class_name': 'a/b'},
        {'page': True, 'address': '1.2.3.4'},
        {'min_difference': -1.0},
        {'float_range': [1.0, 0.0]},
        {'roi': [0.5, 0.5, 0.6, 0.5]},
    ],
)
def test_a_parameter_that_cannot_be_ends_the_start(
    create_collector: Any, parameters: dict[str, Any]
) -> None:
    node = create_collector(started=False, **parameters)
    assert node.has_failed


def test_a_page_without_its_library_ends_the_start_with_what_installs_it(
    create_collector: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, 'tornado', None)
    assert create_collector(started=False, page=True, port=0).has_failed
    assert 'the page needs tornado, which is not installed: pip install' in capfd.readouterr().err


def test_two_nodes_may_collect_into_one_folder(
    robot: Any, create_collector: Any, tmp_path: Path
) -> None:
    first, second = create_collector(class_name='mug'), create_collector(class_name='mug')
    camera = Camera(robot, first)
    for _ in range(3):
        shown = camera.show()
        wait_until(
            lambda shown=shown: (
                second.collection.frame is not None
                and np.array_equal(second.collection.frame.picture, shown)
            ),
            'the other node to see the frame',
        )
        for node in (first, second):
            assert node.collection.save('mug')
    assert len(pictures(tmp_path)) == 6
    assert len({path.parent for path in pictures(tmp_path)}) == 2
