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

"""The regions and the views that parameters ask for, on real topics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import colour_frames
import colour_model
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from snn_perception.nodes.pictures.debug_drawing import DARKER, DULL, WINDOW

Ask = Callable[..., dict[str, str]]


def spot(colour: str, left: int, top: int, **stamp: int) -> Image:
    """A frame of 64 x 48 pixels, dark but for a square of 12."""
    pixels = np.full((48, 64, 3), 40, np.uint8)
    pixels[top : top + 12, left : left + 12] = colour_model.COLOURS[colour]
    header = Header()
    header.stamp.sec, header.stamp.nanosec = stamp.get('sec', 1), stamp.get('nanosec', 0)
    return colour_frames.frame(colour, header, pixels)


def change(robot: Any, **values: Any) -> Any:
    """The result of setting these parameters at once, as another node would."""
    parameters = [
        Parameter(name, value=value).to_parameter_msg() for name, value in values.items()
    ]
    service = 'snn_classifier/set_parameters_atomically'
    return robot.call(SetParametersAtomically, service, parameters=parameters).result


@pytest.fixture
def ask(robot: Any) -> Callable[..., Ask]:
    """Makes a function that publishes a frame on a topic and returns the statistics on it."""

    def of(camera: str = '') -> Ask:
        statistics = robot.listen(DiagnosticArray, f'snn_classifier/{camera}statistics')
        publisher = robot.publisher(Image, f'{camera}image_raw')

        def answer(frame: Image) -> dict[str, str]:
            statistics.messages.clear()
            publisher.publish(frame)
            message = statistics.wait_for(lambda message: message.header == frame.header)
            return {item.key: item.value for item in message.status[0].values}

        return answer

    return of


def test_a_small_thing_is_seen_once_the_views_are_small_enough(
    robot: Any, create_classifier: Any, ask: Any
) -> None:
    create_classifier()
    answer = ask()
    frame = spot('blue', 50, 2)
    whole = answer(frame)
    assert (whole['label'], whole['view']) == ('red', '1')  # The first of three equal scores.
    assert change(robot, views='grid 4x3 best').successful
    best = answer(frame)
    assert (best['label'], best['view']) == ('blue', '4')
    assert int(best['neuron_updates']) == 12 * int(whole['neuron_updates'])
    assert change(robot, views='grid 4x3 mean').successful
    assert answer(frame)['view'] == '0'
    assert change(robot, views='frame', roi=[0.75, 0.0, 0.25, 0.3]).successful
    assert answer(frame)['label'] == 'blue'
    assert change(robot, roi=[0, 0, 1, 1]).successful
    assert answer(frame)['label'] == 'red'


@pytest.mark.parametrize(
    ('name', 'value', 'sentence'),
    [
        ('views', 'grid 2x2', "views must be frame, centre, a grid such as 'grid 3x2'"),
        ('views', 'grid 9x9 best', 'at most 16 views'),
        ('views', '', 'views must be'),
        ('roi', [0.5, 0.0, 0.6, 1.0], 'roi must be x, y, width and height as shares of the frame'),
        ('roi', [160, 120, 320, 240], 'roi must be x, y, width and height as shares of the frame'),
        ('roi', [0.0, 0.0, 0.0, 1.0], 'roi must be x, y, width and height'),
        ('roi', [0.0, 0.0, float('nan'), 1.0], 'roi must be x, y, width and height'),
        ('roi', [0.0, 0.0, 1.0], 'roi must be a list of 4 numbers'),
    ],
)
def test_what_makes_no_sense_is_refused_and_all_stays_as_it_was(
    robot: Any, create_classifier: Any, name: str, value: Any, sentence: str
) -> None:
    node = create_classifier(views='grid 2x2 best', roi=[0.0, 0.0, 0.5, 1.0])
    before = node.parameters
    result = change(robot, **{name: value})
    assert not result.successful
    assert sentence in result.reason
    assert node.parameters == before


def test_wrong_views_and_regions_at_the_start_are_named(create_classifier: Any) -> None:
    for name, value in (('views', 'everywhere'), ('roi', [0.0, 0.0, 2.0, 1.0])):
        node = create_classifier(started=False, **{name: value})
        assert not node.start()
        assert f'{name} must be' in node.failure


def test_a_frame_without_a_pixel_of_the_region_is_rejected_and_the_node_works_on(
    robot: Any, create_classifier: Any, ask: Any
) -> None:
    create_classifier(roi=[0.5, 0.5, 0.001, 0.001])
    diagnostics = robot.listen(DiagnosticArray, '/diagnostics')
    publisher = robot.publisher(Image, 'image_raw')
    publisher.publish(spot('red', 0, 0))
    diagnostics.wait_for(
        lambda message: (
            'smaller than a pixel of the frame, which has 64 x 48' in message.status[0].message
        )
    )
    assert change(robot, roi=[0.0, 0.0, 0.5, 0.5]).successful
    assert ask()(spot('red', 10, 6))['label'] == 'red'


def test_a_stream_with_other_views_begins_at_rest_and_goes_on(
    robot: Any, create_classifier: Any, ask: Any
) -> None:
    create_classifier(mode='stream', views='grid 4x3 best')
    answer = ask()

    def simulated(milliseconds: int) -> str:
        return answer(spot('green', 20, 30, nanosec=milliseconds * 1_000_000))['simulated_time_ms']

    assert [simulated(time) for time in (10, 20, 35)] == ['30.000', '10.000', '15.000']
    assert change(robot, views='frame + grid 4x3 best').successful
    assert [simulated(time) for time in (50, 60)] == ['30.000', '10.000']


@pytest.mark.parametrize('backend', ['reference', 'torch'])
def test_the_views_are_those_of_all_cameras(
    create_classifier: Any, ask: Any, backend: str
) -> None:
    create_classifier(
        image_topics=['front/image_raw', 'rear/image_raw'], views='grid 4x3 best', backend=backend
    )
    front, rear = ask('front/'), ask('rear/')
    for _ in range(2):
        assert front(spot('green', 2, 34))['label'] == 'green'
        assert rear(spot('blue', 50, 2))['label'] == 'blue'


def test_the_picture_shows_the_region_the_views_and_the_best_of_them(
    robot: Any, create_classifier: Any
) -> None:
    create_classifier(views='grid 3x2 best', roi=[0.25, 0.25, 0.75, 0.75])
    pictures = robot.listen(Image, 'snn_classifier/debug_image')
    robot.publisher(Image, 'image_raw').publish(spot('blue', 50, 34))
    message = pictures.wait_for()
    picture = np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, 3)
    frame = picture[8:320, 8:424]
    assert frame[:78].max() <= 255 / DARKER
    assert frame[:, :104].max() <= 255 / DARKER
    for colour, corner in ((DULL, (0.25, 0.25)), (WINDOW, (0.6, 0.5))):
        rows, columns = np.nonzero((frame == colour).all(axis=2))
        assert rows.min() >= corner[1] * 312
        assert columns.min() >= corner[0] * 416
        assert len(rows) > 300
