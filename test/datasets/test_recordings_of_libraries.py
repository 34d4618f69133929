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

"""Bags of ROS 2 and .aedat4 files, which libraries read: these files are made with them, too."""

from __future__ import annotations

import re
import sqlite3
from contextlib import suppress

import numpy as np
import pytest
from event_encoders import HEIGHT, REAL, WIDTH, evt3, mono
from optional import library
from recorded_events import aedat4

from snn_perception.datasets import DatasetError
from snn_perception.datasets.recordings import load_recording, read_recording
from snn_perception.datasets.recordings_bags import FIELDS, MESSAGES
from snn_perception.events.stream import Events

T = np.arange(5_000, 300_000, 700)
N = np.arange(len(T))
EVENTS = Events.of(T, N % 7, N % 11, N % 2, WIDTH, HEIGHT)


def assert_same(found, expected):
    for name in ('t', 'x', 'y', 'polarity'):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert (found.width, found.height) == (expected.width, expected.height)


def test_aedat4_files_are_read_and_survived_when_cut(tmp_path, caplog):
    library('aedat')
    path = tmp_path / 'one.aedat4'
    content = aedat4(EVENTS[:100], EVENTS[100:])
    path.write_bytes(content)
    assert_same(load_recording(path), EVENTS)
    assert not caplog.records
    path.write_bytes(content[:-10])
    assert_same(load_recording(path), EVENTS[:100])
    assert 'one.aedat4 is damaged or cut, and is read until there' in caplog.text


@pytest.mark.parametrize('content', [b'', b'#!AER-DAT4.0\r\n', b'no such file at all'])
def test_files_that_are_no_aedat4_are_refused(content, tmp_path):
    library('aedat')
    path = tmp_path / 'one.aedat4'
    path.write_bytes(content)
    with pytest.raises(DatasetError, match='cannot be read'):
        load_recording(path)


def test_an_aedat4_file_of_a_sensor_without_pixels_is_refused(tmp_path):
    library('aedat')
    path = tmp_path / 'one.aedat4'
    path.write_bytes(aedat4(Events(*(EVENTS.t[:0],) * 4, 0, 0)))
    with pytest.raises(DatasetError, match=r'one\.aedat4 cannot be read: .* not 0 x 0'):
        load_recording(path)


def test_aedat4_files_damaged_anywhere_are_refused_or_read_as_far_as_it_goes(tmp_path):
    # The library panics at some, which is no Exception, and would end the process at others.
    library('aedat')
    path = tmp_path / 'one.aedat4'
    content = aedat4(EVENTS[:3])
    for place in range(14, len(content), 3):
        damaged = bytearray(content)
        damaged[place] ^= 0xC8
        path.write_bytes(damaged)
        with suppress(DatasetError):
            load_recording(path)


def test_packets_of_aedat4_files_may_go_back_in_time(tmp_path, caplog):
    library('aedat')
    path = tmp_path / 'one.aedat4'
    path.write_bytes(aedat4(EVENTS[100:102], EVENTS[:2]))
    first, second, *anew = load_recording(path).t.tolist()
    assert [first, second] == EVENTS.t[100:102].tolist()
    assert anew == [second, second]
    assert '2 events back in time' in caplog.text
    later = Events(EVENTS.t[:2] + 10**7, *(EVENTS.x[:2],) * 3, WIDTH, HEIGHT)
    path.write_bytes(aedat4(later, EVENTS[:2]))
    *_, last = load_recording(path).t.tolist()
    assert last - later.t[1] == 700


class Bag:
    """A bag of one topic or more, with the packets that are added to it."""

    def __init__(self, path, message=MESSAGES[0], topics=('/camera/events',), storage='SQLITE3'):
        library('rosbags')
        from rosbags.rosbag2 import StoragePlugin, Writer
        from rosbags.typesys import Stores, get_types_from_msg, get_typestore

        self.types = get_typestore(Stores.ROS2_HUMBLE)
        self.types.register(get_types_from_msg(FIELDS, message))
        self.message = message
        self.writer = Writer(path, version=9, storage_plugin=StoragePlugin[storage])
        self.writer.open()
        self.topics = [
            self.writer.add_connection(topic, message, typestore=self.types) for topic in topics
        ]
        self.count = 0

    def add(self, words, topic=0, data=None, **fields):
        named = self.types.types
        stamp = named['builtin_interfaces/msg/Time'](sec=1, nanosec=2)
        values = {
            'header': named['std_msgs/msg/Header'](stamp=stamp, frame_id='camera'),
            'width': WIDTH,
            'height': HEIGHT,
            'seq': self.count,
            'time_base': 0,
            'encoding': 'evt3',
            'is_bigendian': False,
            'events': np.frombuffer(words.tobytes(), np.uint8),
        }
        packet = named[self.message](**{**values, **fields})
        if data is None:
            data = bytes(self.types.serialize_cdr(packet, self.message))
        self.writer.write(self.topics[topic], 10**9 + self.count, data)
        self.count += 1


WORDS = evt3(EVENTS)


def test_a_bag_is_read_as_a_folder_and_as_its_file(tmp_path, caplog):
    bag = Bag(tmp_path / 'bag')
    for words in np.array_split(WORDS, 7):
        bag.add(words)
    bag.writer.close()
    assert_same(load_recording(tmp_path / 'bag'), EVENTS)
    assert_same(load_recording(tmp_path / 'bag' / 'bag.db3'), EVENTS)
    assert len(list(read_recording(tmp_path / 'bag'))) == 8
    assert not caplog.records


def test_bags_of_the_older_message_and_of_mono_are_read(tmp_path):
    bag = Bag(tmp_path / 'bag', MESSAGES[1])
    bag.add(mono(EVENTS[:50], 3000), encoding='mono', time_base=3000)
    bag.add(mono(EVENTS[50:], 4000), encoding='mono', time_base=4000)
    bag.writer.close()
    assert_same(load_recording(tmp_path / 'bag'), EVENTS)


def test_packets_that_cannot_be_used_are_counted_and_named_and_the_rest_is_read(tmp_path, caplog):
    bag = Bag(tmp_path / 'bag')
    bag.add(WORDS[:400])
    bag.add(WORDS, encoding='evt9')
    bag.add(WORDS, width=346, height=260)
    bag.add(WORDS, width=346, height=260)
    bag.add(WORDS, encoding='mono')
    bag.add(WORDS, data=b'\0\1\0\0 too short')
    bag.add(WORDS[400:])
    bag.writer.close()
    found = load_recording(tmp_path / 'bag')
    # Where packets are missing, events wait for their row.
    assert len(EVENTS) - 5 <= len(found) <= len(EVENTS)
    assert not any('5 packets are missing' in record.message for record in caplog.records)
    for sentence in (
        "passed over 1 packets: events are encoded as evt3, .*'evt9' is none",
        'passed over 2 packets: a packet is of a sensor of 346 x 260 pixels',
        'passed over 1 packets: a packet is encoded as mono',
        'passed over 1 packets: not a message of its type',
    ):
        assert any(re.search(sentence, record.message) for record in caplog.records), sentence


def test_missing_packets_are_counted(tmp_path, caplog):
    bag = Bag(tmp_path / 'bag')
    bag.add(WORDS[:400], seq=7)
    bag.add(WORDS[500:], seq=10)
    bag.writer.close()
    load_recording(tmp_path / 'bag')
    assert '2 packets are missing' in caplog.text


def test_bags_without_events_or_of_two_cameras_are_refused(tmp_path):
    Bag(tmp_path / 'empty').writer.close()
    with pytest.raises(DatasetError, match='no packet of events'):
        load_recording(tmp_path / 'empty')
    Bag(tmp_path / 'other', 'sensor_msgs/msg/Events').writer.close()
    with pytest.raises(DatasetError, match='no topic of event_camera_msgs/msg/EventPacket'):
        load_recording(tmp_path / 'other')
    Bag(tmp_path / 'two', topics=('/left', '/right')).writer.close()
    with pytest.raises(DatasetError, match='several cameras: /left, /right'):
        load_recording(tmp_path / 'two')


@pytest.mark.parametrize('storage', ['SQLITE3', 'MCAP'])
def test_a_bag_cut_in_the_middle_is_read_as_far_as_it_goes(storage, tmp_path, caplog):
    bag = Bag(tmp_path / 'bag', storage=storage)
    others = np.full(1000, 0xE000, '<u2')
    for words in np.array_split(WORDS, 60):
        bag.add(np.concatenate([words, others]))
    bag.writer.close()
    [path] = [each for each in (tmp_path / 'bag').iterdir() if each.suffix != '.yaml']
    content = path.read_bytes()
    for size in (len(content) // 2, len(content) * 3 // 4):
        path.write_bytes(content[:size])
        for recording in (path, path.parent):
            found = load_recording(recording)
            assert 0 < len(found) < len(EVENTS)
            assert_same(found, EVENTS[: len(found)])
            assert f'{recording} is damaged or cut, and is read until there' in caplog.text
    for size in (0, 100):
        path.write_bytes(content[:size])
        with pytest.raises(DatasetError, match='cannot be read'):
            load_recording(path)


def test_files_of_other_databases_are_refused(tmp_path):
    library('rosbags')
    path = tmp_path / 'one.db3'
    with sqlite3.connect(path) as database:
        database.execute('CREATE TABLE songs (name TEXT)')
    with pytest.raises(DatasetError, match='cannot be read'):
        load_recording(path)


@pytest.mark.skipif(not (REAL / 'bags').is_dir(), reason='needs recordings of real cameras')
@pytest.mark.parametrize(
    ('name', 'count', 'seconds'),
    [
        ('evt3_640x480', 343_474, (2.07, 2.08)),
        ('libcaer_640x480', 334_331, (1.99, 2.0)),
        ('mono', 100, (0, 1)),
    ],
)
def test_real_bags_decode_to_the_event_without_a_fault(name, count, seconds, caplog):
    library('rosbags')
    events = load_recording(REAL / 'bags' / f'{name}.db3')
    assert len(events) == count
    assert seconds[0] <= (events.t[-1] - events.t[0]) / 1e6 <= seconds[1]
    assert (events.width, events.height) == (640, 480)
    assert not caplog.records
