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

"""The files in config/ for tools that watch, against the topics and messages of a real node."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import colour_frames
import pytest
import yaml
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSCompatibility,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
)
from sensor_msgs.msg import Image
from waiting import wait_until

CONFIGURATION = Path(__file__).parents[2] / 'config'
NODE = '/snn_classifier'
ENGINE = 'event'
"""The engine in the names of the curves for PlotJuggler."""


@pytest.fixture
def topics(robot: Any, create_classifier: Any) -> dict[str, str]:
    """Types of the topics that the node publishes, by their names without the namespace."""
    create_classifier(backend=ENGINE)
    wait_until(lambda: any('debug' in name for name in published(robot)), 'the topics')
    return published(robot)


def published(robot: Any) -> dict[str, str]:
    found = robot.node.get_publisher_names_and_types_by_node('snn_classifier', robot.namespace)
    return {name.removeprefix(robot.namespace): types[0] for name, types in found}


@pytest.fixture
def statistics(robot: Any, topics: dict[str, str]) -> DiagnosticArray:
    """The statistics of one answer."""
    inbox = robot.listen(DiagnosticArray, 'snn_classifier/statistics')
    robot.publisher(Image, 'image_raw').publish(colour_frames.frame('red'))
    return inbox.wait_for()


def keys(statistics: DiagnosticArray) -> set[str]:
    return {item.key for item in statistics.status[0].values}


def fields(kind: str) -> dict[str, str]:
    """The fields of the messages of `kind`, such as 'std_msgs/msg/Float64', with their types."""
    package, _, name = kind.split('/')
    return getattr(import_module(f'{package}.msg'), name).get_fields_and_field_types()


def texts(content: Any) -> Iterator[str]:
    """Every text in `content` of a JSON or YAML file, however deep."""
    if isinstance(content, dict):
        content = content.values()
    if isinstance(content, str):
        yield content
    elif not isinstance(content, (int, float, type(None))):
        for value in content:
            yield from texts(value)


# --- Foxglove ---

PANELS = {'Image', 'StateTransitions', 'Plot', 'DiagnosticSummary'}
"""Kinds of panels in use; Foxglove names no others so."""

STATISTIC = r'\.status\[0\]\.values\[:\]\{key=="(\w+)"\}\.value'


@pytest.fixture(scope='module')
def foxglove() -> dict[str, Any]:
    return json.loads((CONFIGURATION / 'foxglove.json').read_text(encoding='utf-8'))


def places(layout: Any) -> Iterator[str]:
    """The panels in the tree `layout`."""
    if isinstance(layout, str):
        yield layout
        return
    assert layout['direction'] in ('row', 'column')
    assert 0 < layout.get('splitPercentage', 50) < 100
    yield from places(layout['first'])
    yield from places(layout['second'])


def test_foxglove_finds_a_place_for_every_panel(foxglove: dict[str, Any]) -> None:
    assert set(foxglove) == {
        *('configById', 'globalVariables', 'userNodes', 'playbackConfig', 'layout')
    }
    assert sorted(places(foxglove['layout'])) == sorted(foxglove['configById'])
    assert {panel.split('!')[0] for panel in foxglove['configById']} == PANELS


def test_foxglove_opens_on_topics_and_fields_of_the_node(
    foxglove: dict[str, Any], topics: dict[str, str], statistics: DiagnosticArray
) -> None:
    shown = [text for text in texts(foxglove) if text.startswith('/')]
    assert {
        '/diagnostics',
        *(f'{NODE}/{name}' for name in ('debug_image', 'label', 'energy')),
    } <= {text.split('.')[0] for text in shown}
    for text in shown:
        topic, dot, path = text.partition('.')
        assert topic in topics, text
        key = re.fullmatch(STATISTIC, f'.{path}')
        if key:
            assert key[1] in keys(statistics)
        elif dot:
            assert path in fields(topics[topic])


def test_foxglove_shows_each_topic_in_a_panel_for_its_type(
    foxglove: dict[str, Any], topics: dict[str, str]
) -> None:
    panels = foxglove['configById']
    assert topics[panels['Image!answers']['imageMode']['imageTopic']] == 'sensor_msgs/msg/Image'
    health = panels['DiagnosticSummary!health']['topicToRender']
    assert topics[health] == 'diagnostic_msgs/msg/DiagnosticArray'
    for name, panel in panels.items():
        for series in panel.get('paths', ()):
            topic, path = series['value'].split('.', 1)
            kind = fields(topics[topic])[path.split('[')[0]]
            numbers = ('double', 'sequence<diagnostic_msgs/DiagnosticStatus>')
            assert kind in (numbers if name.startswith('Plot!') else ('string',))


# --- PlotJuggler ---


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@pytest.fixture(scope='module')
def plotjuggler() -> ElementTree.Element:
    return ElementTree.parse(CONFIGURATION / 'plotjuggler.xml').getroot()


def test_plotjuggler_plots_what_it_makes_of_the_messages(
    robot: Any,
    plotjuggler: ElementTree.Element,
    topics: dict[str, str],
    statistics: DiagnosticArray,
) -> None:
    chosen = plotjuggler.find('Plugins/plugin/selected_topics').get('value').split(';')
    [status] = statistics.status
    curves = {
        f'{topic}/{field}'
        for topic in chosen
        for field, kind in fields(topics[topic]).items()
        if kind == 'double'
    }
    # How its parser names the values of a DiagnosticArray, of which it draws numbers.
    name = status.name.removeprefix(f'{robot.namespace}/'.lstrip('/'))
    prefix = f'{NODE}/statistics/{status.hardware_id}/{name}'
    curves |= {f'{prefix}/{item.key}' for item in status.values if is_number(item.value)}
    drawn = {curve.get('name') for curve in plotjuggler.iter('curve')}
    assert drawn <= curves
    assert {f'{NODE}/energy/data', f'{NODE}/firing_rate/data', f'{prefix}/latency_ms'} <= drawn


def test_plotjuggler_finds_what_it_needs_to_restore_the_plots(
    plotjuggler: ElementTree.Element,
) -> None:
    assert plotjuggler.tag == 'root'
    [window] = plotjuggler.findall('tabbed_widget')
    assert window.get('parent') == 'main_window'
    for splitter in window.findall('Tab/Container/DockSplitter'):
        areas = splitter.findall('DockArea')
        shares = [float(share) for share in splitter.get('sizes').split(';')]
        assert int(splitter.get('count')) == len(areas) == len(shares)
        assert sum(shares) == pytest.approx(1)
        assert splitter.get('orientation') in ('-', '|')
        assert all(area.find('plot').get('mode') == 'TimeSeries' for area in areas)
    streamer = plotjuggler.find('previouslyLoaded_Streamer').get('name')
    assert streamer == plotjuggler.find('Plugins/plugin').get('ID') == 'ROS2 Topic Subscriber'


# --- RViz ---


def test_rviz_shows_the_picture_with_a_qos_that_hears_it(
    robot: Any, topics: dict[str, str]
) -> None:
    file = yaml.safe_load((CONFIGURATION / 'snn_perception.rviz').read_text(encoding='utf-8'))
    [display] = file['Visualization Manager']['Displays']
    assert display['Class'] == 'rviz_default_plugins/Image'
    assert display['Enabled']
    topic = display['Topic']
    assert topics[topic['Value']] == 'sensor_msgs/msg/Image'

    def policy(kind: Any, name: str) -> Any:
        return kind[topic[name].upper().replace(' ', '_')]

    asked = QoSProfile(
        depth=topic['Depth'],
        history=policy(HistoryPolicy, 'History Policy'),
        reliability=policy(ReliabilityPolicy, 'Reliability Policy'),
        durability=policy(DurabilityPolicy, 'Durability Policy'),
    )
    offers = robot.node.get_publishers_info_by_topic(f'{robot.namespace}{topic["Value"]}')
    assert offers
    for offer in offers:
        assert qos_check_compatible(offer.qos_profile, asked)[0] != QoSCompatibility.ERROR


# --- diagnostic_aggregator ---

ANALYZER = {'type': str, 'path': str, 'contains': list, 'timeout': float}
"""The parameters in use of a GenericAnalyzer, which takes no integer for a float."""


@pytest.mark.parametrize('cameras', [['image_raw'], ['front/image_raw', 'rear/image_raw']])
def test_aggregator_takes_what_the_node_reports(
    robot: Any, create_classifier: Any, cameras: list[str]
) -> None:
    file = yaml.safe_load((CONFIGURATION / 'diagnostics.yaml').read_text(encoding='utf-8'))
    analyzer = file['analyzers']['ros__parameters']['snn_perception']
    assert analyzer['type'] == 'diagnostic_aggregator/GenericAnalyzer'
    assert {name: type(value) for name, value in analyzer.items()} == ANALYZER
    create_classifier(started=False, image_topics=cameras)
    reports = robot.listen(DiagnosticArray, '/diagnostics')
    mine = robot.namespace.lstrip('/')
    report = reports.wait_for(lambda report: report.status[0].name.startswith(mine))
    assert len(report.status) == len(cameras)
    for status in report.status:
        assert any(text in status.name for text in analyzer['contains'])
