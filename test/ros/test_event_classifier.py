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

"""The event classifier over real topics."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import event_sides
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import Float64, String
from std_srvs.srv import SetBool, Trigger
from vision_msgs.msg import Classification
from waiting import wait_until

event_camera_msgs = pytest.importorskip('event_camera_msgs.msg')

from snn_perception.energy import chip_names  # noqa: E402
from snn_perception.nodes.pictures.debug_drawing import MARGIN, STRIP_HEIGHT  # noqa: E402
from snn_perception.nodes.pictures.debug_raster import DECISION, SPIKE  # noqa: E402

QOS = QoSProfile(depth=100)


@pytest.fixture(scope='session')
def sides(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return event_sides.save(tmp_path_factory.mktemp('models') / 'sides')


@pytest.fixture
def create(robot: Any, sides: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Makes an event classifier with parameters by name, active unless `started=False`."""
    from snn_perception.nodes import classifying_node
    from snn_perception.nodes.event_classifier_node import EventClassifierNode
    from snn_perception.nodes.process import Stop

    monkeypatch.setattr(classifying_node, 'DIAGNOSTICS_PERIOD', 0.1)

    def make(started: bool = True, **parameters: Any) -> Any:
        # Test machines are busy: a packet may wait.
        values = {'model': str(sides), 'backend': 'reference', 'max_backlog': 10.0, **parameters}
        node = EventClassifierNode(
            Stop(),
            namespace=robot.namespace,
            parameter_overrides=[Parameter(name, value=value) for name, value in values.items()],
        )
        # Before its callbacks run: both are for one thread.
        assert not started or node.start()
        robot.add(node)
        return node

    return make


def publisher(robot: Any) -> Any:
    return robot.publisher(event_camera_msgs.EventPacket, 'events', QOS)


def show(publisher: Any, side: str, first: int, count: int = 12) -> None:
    for number in range(first, first + count):
        publisher.publish(event_sides.packet(side, number))


def values(message: DiagnosticArray) -> dict[str, str]:
    return {item.key: item.value for item in message.status[0].values}


class Doctor:
    """What the node in the robot's namespace says about itself."""

    def __init__(self, robot: Any) -> None:
        self._prefix = robot.namespace[1:]
        self._inbox = robot.listen(DiagnosticArray, '/diagnostics')

    def says(self, condition: Callable[[dict[str, str]], Any]) -> Any:
        """The first status whose values meet `condition`."""

        def meets(message: DiagnosticArray) -> bool:
            is_own = message.status[0].name.startswith(self._prefix)
            return is_own and 'received' in values(message) and condition(values(message))

        return self._inbox.wait_for(meets).status[0]


def test_label_is_the_side_of_the_events_as_soon_as_the_evidence_suffices(
    robot: Any, create: Any
) -> None:
    create()
    labels = robot.listen(String, 'event_classifier/label')
    statistics = robot.listen(DiagnosticArray, 'event_classifier/statistics')
    camera = publisher(robot)
    show(camera, 'left', 1)
    assert labels.wait_for().data == 'left'
    found = values(statistics.wait_for())
    assert found['stopped_by'] == 'confidence'
    assert 0 < float(found['simulated_time_ms']) < 100
    show(camera, 'right', 13)
    labels.wait_for(lambda message: message.data == 'right')


def test_answer_has_the_header_of_the_packet_in_which_it_fell_and_what_it_cost(
    robot: Any, create: Any
) -> None:
    create()
    classifications = robot.listen(Classification, 'event_classifier/classification')
    statistics = robot.listen(DiagnosticArray, 'event_classifier/statistics')
    energies = robot.listen(Float64, 'event_classifier/energy')
    rates = robot.listen(Float64, 'event_classifier/firing_rate')
    show(publisher(robot), 'left', 1)
    answer, found = classifications.wait_for(), statistics.wait_for()
    assert answer.header == found.header
    assert answer.header.frame_id == 'camera'
    [best, other] = answer.results
    assert (best.class_id, other.class_id) == ('left', 'right')
    assert best.score + other.score == pytest.approx(1, abs=1e-6)
    numbers = values(found)
    # The first event begins the first step, and the decision falls with the packet that ends it.
    elapsed = float(numbers['simulated_time_ms'])
    assert 10 * (answer.header.stamp.sec - 1) <= elapsed + 1 <= 10 * answer.header.stamp.sec + 2
    assert {f'energy_{chip}_j' for chip in chip_names()} < set(numbers)
    assert float(numbers['synaptic_operations']) > 0
    assert energies.wait_for().data == pytest.approx(float(numbers['energy_loihi_j']), rel=1e-5)
    assert rates.wait_for().data == pytest.approx(float(numbers['firing_rate_hz']), abs=1e-3)


def test_diagnostics_count_events_and_packets_that_are_missing(robot: Any, create: Any) -> None:
    create()
    doctor = Doctor(robot)
    camera = publisher(robot)
    for number in (1, 2, 5, 6):
        camera.publish(event_sides.packet('left', number))
    status = doctor.says(lambda found: found['received'] == '4' and found['events'] == '800')
    assert status.name.endswith('event_classifier: events')
    assert {item.key: item.value for item in status.values}['lost'] == '2'
    assert doctor.says(lambda found: float(found['events_per_s']) > 0)


BAD = {
    'unknown encoding': ({'encoding': 'evt9'}, 'rejected', "'evt9' is none of these"),
    'empty': ({'events': array('B')}, 'rejected', 'a packet is empty'),
    'another size': ({'width': 640, 'height': 480}, 'rejected', 'is of a sensor of 640 x 480'),
    'absurd size': ({'width': 2**31, 'height': 2**31}, 'rejected', 'there is no such sensor'),
    'another encoding': ({'encoding': 'mono'}, 'rejected', 'one topic has one encoding'),
    'cut in a word': ({'events': array('B', [1])}, 'truncated', '1 bytes of a cut word'),
    'outside': ({'events': array('B', b'\x00\x20\xff\x27')}, 'outside', 'outside the sensor'),
}


@pytest.mark.parametrize('name', BAD)
def test_bad_packet_is_counted_named_and_survived(robot: Any, create: Any, name: str) -> None:
    create()
    doctor = Doctor(robot)
    labels = robot.listen(String, 'event_classifier/label')
    camera = publisher(robot)
    show(camera, 'left', 1)
    labels.wait_for(lambda message: message.data == 'left')
    changes, key, sentence = BAD[name]
    camera.publish(event_sides.packet('left', 13, **changes))
    status = doctor.says(lambda found: int(found[key]) >= 1)
    assert sentence in {item.key: item.value for item in status.values}['last_error']
    assert sentence in status.message
    assert status.level in (b'\x01', b'\x02')
    show(camera, 'right', 14)
    labels.wait_for(lambda message: message.data == 'right')


def test_events_back_in_time_are_late_and_survived(robot: Any, create: Any) -> None:
    create()
    doctor = Doctor(robot)
    labels = robot.listen(String, 'event_classifier/label')
    camera = publisher(robot)
    show(camera, 'left', 101)
    late = event_sides.packet('left', 99, seq=113)
    for _ in range(3):
        camera.publish(late)
        late.seq += 1
    status = doctor.says(lambda found: int(found['late']) > 0)
    assert 'back in time' in status.message
    for number in range(116, 130):
        camera.publish(event_sides.packet('right', number))
    labels.wait_for(lambda message: message.data == 'right')


def test_camera_that_was_exchanged_is_followed(robot: Any, create: Any) -> None:
    create()
    labels = robot.listen(String, 'event_classifier/label')
    camera = publisher(robot)
    show(camera, 'left', 1)
    labels.wait_for(lambda message: message.data == 'left')
    for number in range(13, 40):
        # On this sensor everything is in the left half.
        camera.publish(event_sides.packet('right', number, width=2 * event_sides.WIDTH))
    labels.messages.clear()
    labels.wait_for(lambda message: message.data == 'left')


def test_network_begins_at_rest_after_a_long_silence(robot: Any, create: Any) -> None:
    create(stream_gap=0.5)
    doctor = Doctor(robot)
    camera = publisher(robot)
    show(camera, 'left', 1)
    show(camera, 'left', 1000)
    doctor.says(lambda found: found['restarts'] == '1')


def test_packets_that_waited_too_long_are_dropped_and_the_next_are_answered(
    robot: Any, create: Any
) -> None:
    create(max_backlog=0.001, max_silence=100.0, stream_gap=10.0)
    doctor = Doctor(robot)
    labels = robot.listen(String, 'event_classifier/label')
    camera = publisher(robot)
    for number in range(1, 80):
        message = event_sides.packet('left', 10 * number, duration=100_000, seq=number)
        camera.publish(message)
    status = doctor.says(lambda found: int(found['dropped']) > 0)
    assert status.level == b'\x01'
    doctor.says(lambda found: float(found['skipped_s']) > 0)
    labels.wait_for(lambda message: message.data == 'left')


def test_every_camera_is_heard_whatever_its_reliability(robot: Any, create: Any) -> None:
    create()
    labels = robot.listen(String, 'event_classifier/label')
    qos = QoSProfile(depth=100, reliability=ReliabilityPolicy.BEST_EFFORT)
    camera = robot.publisher(event_camera_msgs.EventPacket, 'events', qos)
    numbers = iter(range(1, 10_000))
    timer = robot.node.create_timer(
        0.01, lambda: camera.publish(event_sides.packet('left', next(numbers)))
    )
    labels.wait_for(lambda message: message.data == 'left')
    robot.node.destroy_timer(timer)


def picture_of_the_left(robot: Any) -> np.ndarray:
    """The first picture, (height, width, 3), while events are on the left."""
    camera = publisher(robot)
    pictures = robot.listen(Image, 'event_classifier/debug_image')
    show(camera, 'left', 1, 30)
    picture = pictures.wait_for()
    return np.frombuffer(picture.data, np.uint8).reshape(picture.height, picture.width, 3)


def test_picture_shows_accumulated_events_while_somebody_looks(robot: Any, create: Any) -> None:
    create()
    pixels = picture_of_the_left(robot)
    frame = pixels[8:320, 8:424].astype(int)
    left, right = frame[80:240, 40:180], frame[80:240, 240:380]
    assert left.std() > 5 * max(right.std(), 1)


def test_picture_shows_the_spikes_of_the_layers(robot: Any, create: Any) -> None:
    create()
    pixels = picture_of_the_left(robot)
    strip = pixels[-MARGIN - STRIP_HEIGHT :]
    assert (strip == SPIKE).all(axis=2).sum() > 50
    assert (strip == DECISION).all(axis=2).sum() > 10


def test_what_is_unlike_all_classes_is_labelled_unknown_once_that_is_asked_for(
    robot: Any, create: Any, tmp_path: Path
) -> None:
    knowing = event_sides.save(tmp_path / 'knowing', event_sides.with_unknown_score())
    node = create(model=str(knowing))
    labels = robot.listen(String, 'event_classifier/label')
    statistics = robot.listen(DiagnosticArray, 'event_classifier/statistics')
    camera = publisher(robot)
    show(camera, 'both', 1, 30)
    assert labels.wait_for().data in ('left', 'right')
    assert float(values(statistics.wait_for())['unknown_score']) > 1
    assert node.set_parameters([Parameter('reject_unknown', value=True)])[0].successful
    show(camera, 'both', 31, 30)
    assert labels.wait_for(lambda label: label.data == 'unknown')
    show(camera, 'left', 61, 60)
    assert labels.wait_for(lambda label: label.data == 'left')


def test_disabled_node_does_not_listen_and_reset_forgets(robot: Any, create: Any) -> None:
    create()
    doctor = Doctor(robot)
    camera = publisher(robot)
    camera.publish(event_sides.packet('left', 1, events=array('B')))
    doctor.says(lambda found: found['rejected'] == '1')
    assert robot.call(Trigger, 'event_classifier/reset').success
    doctor.says(lambda found: (found['rejected'], found['last_error']) == ('0', ''))
    assert robot.call(SetBool, 'event_classifier/enable', data=False).message == 'disabled'
    wait_until(lambda: camera.get_subscription_count() == 0)
    assert robot.call(SetBool, 'event_classifier/enable', data=True).message == 'enabled'
    wait_until(lambda: camera.get_subscription_count() == 1)
    labels = robot.listen(String, 'event_classifier/label')
    show(camera, 'right', 100)
    assert labels.wait_for().data == 'right'


def test_time_for_a_decision_can_change_and_loads_the_model_anew(robot: Any, create: Any) -> None:
    node = create()
    assert node.set_parameters([Parameter('presentation_time', value=0.01)])[0].successful
    statistics = robot.listen(DiagnosticArray, 'event_classifier/statistics')
    camera = publisher(robot)
    for number in range(1, 6):
        camera.publish(event_sides.packet('left', number))
    assert float(values(statistics.wait_for())['simulated_time_ms']) <= 10


@pytest.mark.parametrize(
    ('parameters', 'sentence'),
    [
        ({'model': 'mnist'}, 'takes images, not the events of a sensor'),
        ({'crop': [0, 0, 5, 0]}, 'crop must have a width and a height above 0'),
    ],
)
def test_node_that_cannot_hear_events_is_not_configured_and_says_why(
    robot: Any, create: Any, parameters: dict[str, Any], sentence: str
) -> None:
    node = create(started=False, **parameters)
    assert not node.start()
    assert sentence in node.failure


def test_classifier_of_images_refuses_a_model_of_events(
    robot: Any, create_classifier: Any, sides: Path
) -> None:
    node = create_classifier(started=False, model=str(sides))
    assert not node.start()
    assert 'takes the events of a sensor, not images' in node.failure
