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

"""The event camera over real topics, and the demo with it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import event_sides
import numpy as np
import pytest
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from waiting import wait_until

event_camera_msgs = pytest.importorskip('event_camera_msgs.msg')

from snn_perception.events.packets import PacketDecoder  # noqa: E402
from snn_perception.events.stream import Events, concatenate  # noqa: E402
from snn_perception.nodes.process import Stop  # noqa: E402


@pytest.fixture
def play(robot: Any) -> Callable[..., tuple[Stop, list[Any]]]:
    """Plays with parameters by name; returns when the camera asks to stop, and its packets."""
    from snn_perception.nodes.event_camera_node import EventCameraNode

    def start(**parameters: Any) -> tuple[Stop, list[Any]]:
        packets: list[Any] = []
        robot.node.create_subscription(
            event_camera_msgs.EventPacket, 'events', packets.append, QoSProfile(depth=1000)
        )
        stop = Stop()
        values = {'loop': False, 'wait_for_subscriber': True, **parameters}
        node = EventCameraNode(
            stop,
            namespace=robot.namespace,
            parameter_overrides=[Parameter(name, value=value) for name, value in values.items()],
        )
        assert node.start()
        robot.add(node)
        return stop, packets

    return start


def recording(path: Path, side: str = 'left', start: int = 500) -> Events:
    """A recording of 0.1 s in a file."""
    events = event_sides.events(side, start, duration=100_000)
    columns = {'t': events.t, 'x': events.x, 'y': events.y, 'p': events.polarity}
    np.savez(path, width=events.width, height=events.height, **columns)
    return events


def decoded(packets: list[Any]) -> Events:
    decoder = PacketDecoder()
    found = [decoder.decode(packet) for packet in packets]
    rest = decoder.finish()
    assert decoder.lost == 0
    assert not any(one.faults for one in found)
    return concatenate([one.events for one in found] + ([rest.events] if rest else []))


def test_events_of_a_recording_come_in_numbered_packets_at_their_times(
    tmp_path: Path, play: Any
) -> None:
    events = recording(tmp_path / 'one.npz')
    size = {'width': event_sides.WIDTH, 'height': event_sides.HEIGHT}
    stop, packets = play(source=str(tmp_path / 'one.npz'), packet_time=0.02, **size)
    assert stop.wait(20)
    wait_until(lambda: len(packets) == 5, 'five packets')
    played = decoded(packets)
    assert np.array_equal(played.t, events.t - events.t[0])
    assert np.array_equal(played.x, events.x)
    assert np.array_equal(played.y, events.y)
    assert np.array_equal(played.polarity, events.polarity)
    stamps = [1e9 * one.header.stamp.sec + one.header.stamp.nanosec for one in packets]
    assert packets[0].encoding == 'evt3'
    assert packets[0].header.frame_id == 'camera'
    assert stamps[-1] - stamps[0] > 0.06e9


def test_recordings_of_a_folder_follow_each_other_after_a_pause(tmp_path: Path, play: Any) -> None:
    for name in ('a', 'b'):
        (tmp_path / name).mkdir()
        recording(tmp_path / name / '1.npz')
    size = {'width': event_sides.WIDTH, 'height': event_sides.HEIGHT}
    stop, packets = play(source=str(tmp_path), pause=0.5, speed=20.0, **size)
    assert stop.wait(20)
    wait_until(lambda: len(packets) == 20, 'twenty packets')
    times = decoded(packets).t
    assert np.diff(times).max() == pytest.approx(500_000, abs=1000)


def test_image_moves_before_a_simulated_sensor(tmp_path: Path, play: Any) -> None:
    image = np.zeros((28, 28), np.uint8)
    image[8:20, 8:20] = 255
    cv2.imwrite(str(tmp_path / 'square.png'), image)
    stop, packets = play(source=str(tmp_path / 'square.png'), speed=5.0)
    assert stop.wait(20)
    events = decoded(packets)
    assert (events.width, events.height) == (34, 34)
    assert len(events) > 500
    inside = (abs(events.x.astype(int) - 16.5) < 12) & (abs(events.y.astype(int) - 16.5) < 12)
    assert inside.mean() > 0.95


def test_camera_without_a_source_ends_with_a_sentence() -> None:
    done = run('event_camera', '--ros-args', '-p', 'source:=/no/such/recording.raw')
    assert done.returncode == 1
    assert 'there is no recording' in done.stderr
    assert 'Traceback' not in done.stderr


def test_recordings_without_events_are_not_waited_for_for_ever(tmp_path: Path) -> None:
    nothing = np.zeros(0, np.int64)
    np.savez(tmp_path / 'none.npz', t=nothing, x=nothing, y=nothing, p=nothing)
    done = run('event_camera', '--ros-args', '-p', f'source:={tmp_path / "none.npz"}')
    assert done.returncode == 1
    assert 'has no events' in done.stderr


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, '-m', 'snn_perception', *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_demo_of_events_prints_answers_next_to_what_the_camera_shows(tmp_path: Path) -> None:
    model = event_sides.save(tmp_path / 'sides')
    for side in ('left', 'right'):
        (tmp_path / 'recordings' / side).mkdir(parents=True)
        recording(tmp_path / 'recordings' / side / '1.npz', side)
    done = run(
        *('demo', '--events', '--frames', '8', '--model', str(model), '--backend', 'reference'),
        *('--source', str(tmp_path / 'recordings'), '--picture', str(tmp_path / 'sheet.png')),
        *('--size', f'{event_sides.WIDTH}x{event_sides.HEIGHT}'),
    )
    assert done.returncode == 0, done.stderr
    assert '8 of 8 right.' in done.stdout
    assert cv2.imread(str(tmp_path / 'sheet.png')) is not None


def test_demo_of_events_has_no_rate_of_images() -> None:
    done = run('demo', '--events', '--rate', '5')
    assert done.returncode == 2
    assert '--rate is that of a camera of images' in done.stderr
