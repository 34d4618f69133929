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

"""Packets of one topic: what is lost between them, and which of them are no use."""

from types import SimpleNamespace

import numpy as np
import pytest
from event_encoders import HEIGHT, WIDTH, evt3

from snn_perception.events.packets import PacketDecoder
from snn_perception.events.stream import Events

T = np.arange(5_000, 300_000, 700)
EVENTS = Events.of(T, T % 7, T % 11, T % 2, WIDTH, HEIGHT)


def packet(seq, words=None, **fields):
    values = {
        'width': WIDTH,
        'height': HEIGHT,
        'seq': seq,
        'time_base': 0,
        'encoding': 'evt3',
        'is_bigendian': False,
        'events': (evt3(EVENTS) if words is None else words).tobytes(),
    }
    return SimpleNamespace(**{**values, **fields})


def test_packets_in_a_row_are_one_stream_and_none_is_lost():
    decoder = PacketDecoder()
    parts = np.array_split(evt3(EVENTS), 9)
    found = [decoder.decode(packet(seq, part)) for seq, part in enumerate(parts, start=4)]
    assert sum(len(each.events) for each in found) == len(EVENTS)
    assert decoder.lost == 0


def test_packets_that_are_missing_are_counted_and_their_rows_are_not_guessed():
    decoder = PacketDecoder()
    decoder.decode(packet(4))
    # An event in the row that the packet before left off with, if there were none between.
    found = decoder.decode(packet(7, np.array([0x2001, 5, 0x2002], '<u2')))
    assert decoder.lost == 2
    assert found.events.y.tolist() == [5]
    assert found.faults.unplaced == 1


def test_packets_without_numbers_are_one_stream_and_none_is_lost():
    decoder = PacketDecoder()
    parts = np.array_split(evt3(EVENTS), 9)
    found = [decoder.decode(packet(0, part)) for part in parts]
    assert sum(len(each.events) for each in found) == len(EVENTS)
    assert decoder.lost == 0


def test_numbers_that_begin_anew_are_of_a_driver_started_anew():
    decoder = PacketDecoder()
    decoder.decode(packet(100))
    decoder.decode(packet(0))
    decoder.decode(packet(1))
    assert decoder.lost == 0


@pytest.mark.parametrize(
    ('fields', 'sentence'),
    [
        ({'encoding': 'evt9'}, "'evt9' is none of these"),
        ({'encoding': 'mono'}, 'encoded as mono, and those before it as evt3'),
        ({'width': 346, 'height': 260}, 'sensor of 346 x 260 pixels, and those before it of one'),
    ],
)
def test_a_packet_of_another_kind_is_refused_in_a_sentence_and_the_next_is_not(fields, sentence):
    decoder = PacketDecoder()
    decoder.decode(packet(4))
    with pytest.raises(ValueError, match=sentence):
        decoder.decode(packet(5, **fields))
    assert len(decoder.decode(packet(6)).events) == len(EVENTS)
    assert decoder.lost == 0


def test_a_topic_that_begins_with_nonsense_goes_on_with_the_first_packet_that_is_none():
    decoder = PacketDecoder()
    for fields in ({'encoding': ''}, {'width': 0}):
        with pytest.raises(ValueError, match=r'events are encoded as|columns and rows'):
            decoder.decode(packet(1, **fields))
    assert decoder.finish() is None
    assert len(decoder.decode(packet(2)).events) == len(EVENTS)
    assert len(decoder.finish().events) == 0
