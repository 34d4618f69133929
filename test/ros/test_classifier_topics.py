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

"""What the classifier publishes about good frames."""

from __future__ import annotations

import math
from itertools import count
from typing import Any

import colour_frames
import colour_model
import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Float64, Header, String
from vision_msgs.msg import Classification

from snn_perception.energy import chip_names


def header(seconds: int = 7, nanoseconds: int = 123_456_789) -> Header:
    message = Header(frame_id='front_camera')
    message.stamp.sec, message.stamp.nanosec = seconds, nanoseconds
    return message


def image(colour: str, **stamp: int) -> Image:
    return colour_frames.frame(colour, header(**stamp))


def values(message: DiagnosticArray) -> dict[str, str]:
    return {item.key: item.value for item in message.status[0].values}


def test_answer_has_the_header_of_its_frame_and_all_classes_ranked(
    robot: Any, create_classifier: Any
) -> None:
    create_classifier()
    classifications = robot.listen(Classification, 'snn_classifier/classification')
    robot.publisher(Image, 'image_raw').publish(image('green'))
    answer = classifications.wait_for()
    assert answer.header == header()
    assert answer.results[0].class_id == 'green'
    assert {result.class_id for result in answer.results} == set(colour_model.LABELS)
    scores = [result.score for result in answer.results]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize('colour', colour_model.LABELS)
def test_label_is_the_top_class(robot: Any, create_classifier: Any, colour: str) -> None:
    create_classifier()
    labels = robot.listen(String, 'snn_classifier/label')
    robot.publisher(Image, 'image_raw').publish(image(colour))
    assert labels.wait_for().data == colour


def test_label_is_unknown_below_the_confidence_asked_for(
    robot: Any, create_classifier: Any
) -> None:
    create_classifier(min_confidence=0.9999)
    labels = robot.listen(String, 'snn_classifier/label')
    classifications = robot.listen(Classification, 'snn_classifier/classification')
    robot.publisher(Image, 'image_raw').publish(image('red'))
    assert labels.wait_for().data == 'unknown'
    assert classifications.wait_for().results[0].class_id == 'red'


def test_classification_lists_no_more_hypotheses_than_asked_for(
    robot: Any, create_classifier: Any
) -> None:
    create_classifier(max_hypotheses=2)
    classifications = robot.listen(Classification, 'snn_classifier/classification')
    robot.publisher(Image, 'image_raw').publish(image('red'))
    assert len(classifications.wait_for().results) == 2


def test_statistics_are_bare_numbers_under_the_stamp_of_the_frame(
    robot: Any, create_classifier: Any
) -> None:
    create_classifier()
    statistics = robot.listen(DiagnosticArray, 'snn_classifier/statistics')
    publisher = robot.publisher(Image, 'image_raw')
    frame = image('red')
    frame.header.stamp = robot.node.get_clock().now().to_msg()
    publisher.publish(frame)
    message = statistics.wait_for()
    assert message.header == frame.header
    found = values(message)
    assert found.pop('label') == 'red'
    assert found.pop('stopped_by') == 'time'
    assert found.pop('host_power_source') in ('rapl', 'ina', 'unavailable')
    numbers = {key: float(value) for key, value in found.items()}
    assert set(numbers) >= {
        'score',
        'latency_ms',
        'simulated_time_ms',
        'spikes',
        'synaptic_operations',
        'neuron_updates',
        'firing_rate_hz',
        'host_power_w',
        *(f'energy_{chip}_j' for chip in chip_names()),
    }
    assert numbers['simulated_time_ms'] == 30
    assert 0 < numbers['network_ms'] <= numbers['processing_ms'] <= numbers['latency_ms'] < 20_000
    assert numbers['neuron_updates'] == 30 * 3 * colour_model.GROUP
    assert numbers['synaptic_operations'] == 3 * numbers['spikes'] > 0
    seconds, neurons = 0.03, 3 * colour_model.GROUP
    expected = numbers['spikes'] / seconds / neurons
    assert numbers['firing_rate_hz'] == pytest.approx(expected, rel=1e-3)


def test_energy_and_firing_rate_are_plain_numbers_for_plots(
    robot: Any, create_classifier: Any
) -> None:
    create_classifier(energy_chip='spinnaker')
    energies = robot.listen(Float64, 'snn_classifier/energy')
    rates = robot.listen(Float64, 'snn_classifier/firing_rate')
    statistics = robot.listen(DiagnosticArray, 'snn_classifier/statistics')
    robot.publisher(Image, 'image_raw').publish(image('red'))
    found = values(statistics.wait_for())
    assert energies.wait_for().data == pytest.approx(float(found['energy_spinnaker_j']), rel=1e-5)
    assert rates.wait_for().data == pytest.approx(float(found['firing_rate_hz']), abs=1e-3)


def test_power_that_is_not_measured_is_no_number(robot: Any, create_classifier: Any) -> None:
    create_classifier()
    statistics = robot.listen(DiagnosticArray, 'snn_classifier/statistics')
    robot.publisher(Image, 'image_raw').publish(image('red'))
    found = values(statistics.wait_for())
    assert math.isnan(float(found['host_power_w'])) == (
        found['host_power_source'] == 'unavailable'
    )


@pytest.mark.parametrize('suffix', ['.png', '.jpg'])
def test_compressed_images_come_on_the_topic_below_the_image(
    robot: Any, create_classifier: Any, suffix: str
) -> None:
    create_classifier(image_transport='compressed')
    classifications = robot.listen(Classification, 'snn_classifier/classification')
    publisher = robot.publisher(CompressedImage, 'image_raw/compressed')
    pixels = cv2.cvtColor(colour_model.image('blue'), cv2.COLOR_RGB2BGR)
    data = cv2.imencode(suffix, pixels)[1].tobytes()
    publisher.publish(CompressedImage(header=header(), format=suffix[1:], data=data))
    answer = classifications.wait_for()
    assert (answer.header, answer.results[0].class_id) == (header(), 'blue')


def test_frame_without_a_stamp_or_of_another_time_is_classified_without_a_latency(
    robot: Any, create_classifier: Any
) -> None:
    create_classifier()
    statistics = robot.listen(DiagnosticArray, 'snn_classifier/statistics')
    publisher = robot.publisher(Image, 'image_raw')
    publisher.publish(image('red', seconds=0, nanoseconds=0))
    assert values(statistics.wait_for())['latency_ms'] == 'nan'
    for seconds in (-5, 7, 2**31 - 1):
        publisher.publish(image('red', seconds=seconds))
        other = statistics.wait_for(lambda m, seconds=seconds: m.header.stamp.sec == seconds)
        assert (values(other)['label'], values(other)['latency_ms']) == ('red', 'nan')


def test_grey_camera_is_classified_too(robot: Any, create_classifier: Any) -> None:
    create_classifier()
    classifications = robot.listen(Classification, 'snn_classifier/classification')
    message = Image(
        header=header(), height=9, width=16, encoding='mono8', step=16, data=bytes(144)
    )
    robot.publisher(Image, 'image_raw').publish(message)
    assert len(classifications.wait_for().results) == 3


def test_live_parameters_count_from_the_next_frame_on(robot: Any, create_classifier: Any) -> None:
    from rclpy.parameter import Parameter

    node = create_classifier()
    statistics = robot.listen(DiagnosticArray, 'snn_classifier/statistics')
    publisher = robot.publisher(Image, 'image_raw')
    publisher.publish(image('red', seconds=1))
    statistics.wait_for(lambda message: message.header.stamp.sec == 1)
    node.set_parameters(
        [Parameter('presentation_time', value=0.05), Parameter('invert', value=True)]
    )
    publisher.publish(image('red', seconds=2))
    found = values(statistics.wait_for(lambda message: message.header.stamp.sec == 2))
    assert found['simulated_time_ms'] == '50.000'
    assert found['label'] != 'red'


def test_stream_mode_advances_by_the_time_between_stamps(
    robot: Any, create_classifier: Any
) -> None:
    create_classifier(mode='stream')
    statistics = robot.listen(DiagnosticArray, 'snn_classifier/statistics')
    publisher = robot.publisher(Image, 'image_raw')
    times = []
    for milliseconds in (0, 40, 65):
        stamp = milliseconds * 1_000_000
        publisher.publish(image('red', seconds=3, nanoseconds=stamp))
        message = statistics.wait_for(lambda m, stamp=stamp: m.header.stamp.nanosec == stamp)
        times.append(float(values(message)['simulated_time_ms']))
    assert times == [30, 40, 25]


@pytest.mark.parametrize('reliability', list(ReliabilityPolicy)[1:3])
def test_best_effort_subscription_hears_every_publisher(
    robot: Any, create_classifier: Any, reliability: ReliabilityPolicy
) -> None:
    create_classifier()
    labels = robot.listen(String, 'snn_classifier/label')
    qos = QoSProfile(depth=1, reliability=reliability)
    robot.publisher(Image, 'image_raw', qos).publish(image('red'))
    assert labels.wait_for().data == 'red'


def test_newest_frame_wins_and_the_others_are_counted(robot: Any, create_classifier: Any) -> None:
    create_classifier(presentation_time=10.0)
    classifications = robot.listen(Classification, 'snn_classifier/classification')
    diagnostics = robot.listen(DiagnosticArray, '/diagnostics')
    publisher = robot.publisher(Image, 'image_raw')
    numbers = count()
    robot.node.create_timer(0.005, lambda: publisher.publish(image('red', seconds=next(numbers))))
    found = values(
        diagnostics.wait_for(
            lambda message: (
                message.status[0].name.startswith(robot.namespace[1:])
                and int(values(message).get('dropped', '0')) > 0
            )
        )
    )
    taken = int(found['received']) - int(found['dropped'])
    assert 0 <= taken - int(found['classified']) <= 2
    stamps = [message.header.stamp.sec for message in classifications.messages]
    assert stamps == sorted(set(stamps))


def test_health_names_the_engine_and_the_rate(robot: Any, create_classifier: Any) -> None:
    create_classifier()
    diagnostics = robot.listen(DiagnosticArray, '/diagnostics')
    publisher = robot.publisher(Image, 'image_raw')
    frame = image('red')
    frame.header.stamp = robot.node.get_clock().now().to_msg()
    publisher.publish(frame)
    verdict = diagnostics.wait_for(
        lambda message: (
            message.status[0].name.startswith(robot.namespace[1:])
            and values(message)['classified'] == '1'
        )
    ).status[0]
    found = {item.key: item.value for item in verdict.values}
    assert verdict.level == b'\x00'
    assert verdict.hardware_id.startswith('reference on cpu: ')
    assert 10 < float(found['memory_mb']) < 10_000
    assert float(found['cpu_percent']) >= 0
    stages = ('transport', 'waiting', 'reading', 'network', 'publishing')
    assert all(0 < float(found[f'{stage}_ms']) < 20_000 for stage in stages)
    assert (found['model'], found['backend'], found['device']) == ('colours', 'reference', 'cpu')
    assert float(found['rate_hz']) > 0
    assert 0 < float(found['latency_ms']) < 20_000
    assert (found['rejected'], found['failed'], found['last_error']) == ('0', '0', '')


def test_image_topic_can_be_remapped(robot: Any, model_folder: Any) -> None:
    from rclpy.parameter import Parameter

    from snn_perception.nodes.classifier_node import ClassifierNode
    from snn_perception.nodes.process import Stop

    node = ClassifierNode(
        Stop(),
        namespace=robot.namespace,
        cli_args=['--ros-args', '-r', 'image_raw:=arm/camera/image'],
        parameter_overrides=[
            Parameter('model', value=str(model_folder)),
            Parameter('backend', value='reference'),
            Parameter('image_transport', value='compressed'),
        ],
    )
    robot.add(node)
    assert node.start()
    labels = robot.listen(String, 'snn_classifier/label')
    publisher = robot.publisher(CompressedImage, 'arm/camera/image/compressed')
    data = cv2.imencode('.png', np.full((9, 9, 3), (0, 0, 255), np.uint8))[1].tobytes()
    publisher.publish(CompressedImage(header=header(), format='png', data=data))
    assert labels.wait_for().data == 'red'
