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

"""Decoders give back what was encoded, however it was cut into packets, and survive anything."""

from __future__ import annotations

import numpy as np
import pytest
from event_encoders import HEIGHT, WIDTH, evt2, evt3, evt21, libcaer, libcaer_cmp, mono, streams
from hypothesis import given
from hypothesis import strategies as st

from snn_perception.events import evt2 as evt2_module
from snn_perception.events import evt3_kernels, wide_words
from snn_perception.events import libcaer_cmp as cmp_module
from snn_perception.events.decoding import DECODERS, Faults, decoder_for
from snn_perception.events.stream import Events, concatenate

SECOND = 1_000_000

KERNELS = (
    *(evt3_kernels.count_events, evt3_kernels.decode_words, evt2_module._decode_words),
    *(wide_words._decode_words, cmp_module._translate),
)


def decoded(encoding, packets, width=WIDTH, height=HEIGHT, **options):
    """All events, triggers and faults of `packets`."""
    decoder = decoder_for(encoding, width, height)
    parts = [decoder.decode(packet.tobytes(), **options) for packet in packets]
    parts.append(decoder.finish())
    return (
        concatenate([part.events for part in parts]),
        concatenate([part.triggers for part in parts]),
        sum((part.faults for part in parts), Faults()),
    )


def assert_same(found: Events, expected: Events, shift: int = 0):
    for name in ('t', 'x', 'y', 'polarity'):
        column = getattr(expected, name) - (shift if name == 't' else 0)
        np.testing.assert_array_equal(getattr(found, name), column)


def cut(words, places):
    return np.split(words, sorted({place % (len(words) + 1) for place in places}))


places = st.lists(st.integers(0, 10_000), max_size=4)


@given(streams(), places, st.booleans())
def test_evt3_decodes_to_what_was_encoded_wherever_it_is_cut(events, places, vectors):
    found, _, faults = decoded('evt3', cut(evt3(events, vectors), places))
    # The camera says nothing about the wraps before the first time.
    shift = int(events.t[0]) // 2**24 * 2**24 if len(events) else 0
    assert_same(found, events, shift)
    assert not faults


@given(streams(first=2**34 - 10**7), places)
def test_evt2_decodes_to_what_was_encoded_wherever_it_is_cut(events, places):
    found, _, faults = decoded('evt2', cut(evt2(events), places))
    assert_same(found, events)
    assert not faults


@given(streams(width=64, first=2**34 - 10**7), places, st.booleans())
def test_evt21_decodes_to_what_was_encoded_wherever_it_is_cut(events, places, is_legacy):
    words = evt21(events)
    if is_legacy:
        words = words.view('<u4').reshape(-1, 2)[:, ::-1].copy().view('<u8').ravel()
    encoding = 'evt21_legacy' if is_legacy else 'evt21'
    found, _, faults = decoded(encoding, cut(words, places), width=64)
    assert_same(found, events)
    assert not faults


def test_evt21_has_32_pixels_in_a_word_and_edges_at_trigger_inputs():
    # The time; on events in columns 32, 33 and 63; one outside; a rising edge at input 3; an event
    # without a pixel; words for others.
    words = [
        *(8 << 60 | 5 << 32, 1 << 60 | 7 << 54 | 32 << 43 | 2 << 32 | 0x80000003),
        *(64 << 43 | 2 << 32 | 1, 10 << 60 | 9 << 54 | 3 << 40 | 1 << 32 | 0xFFFF),
        *(32 << 43 | 2 << 32, 14 << 60 | 0xFF, 15 << 60 | 0xFF),
    ]
    found, triggers, faults = decoded('evt21', [np.array(words, '<u8')], width=64)
    t = 5 * 64 + 7
    assert_same(found, Events.of([t] * 3, [32, 33, 63], [2] * 3, [1] * 3, 64, HEIGHT))
    assert (triggers.t.tolist(), triggers.channel.tolist()) == ([5 * 64 + 9], [3])
    assert triggers.edge.tolist() == [1]
    assert faults == Faults(outside=1)


@given(streams(largest_gap=10**7), places)
def test_mono_decodes_to_what_was_encoded(events, places):
    base = int(events.t[0]) * 1000 if len(events) else 0
    near = events.between(base // 1000, base // 1000 + 4 * SECOND)
    found, _, faults = decoded('mono', cut(mono(near, base), places), time_base=base)
    assert_same(found, near)
    assert not faults


@given(streams(first=2**31), st.integers(0, 999))
def test_libcaer_wraps_within_a_packet_and_keeps_the_clock_of_the_host(events, nanoseconds):
    words = libcaer(events, 0)
    base = 1_700_000_000 * 10**9 + nanoseconds
    [*_, beginning] = [0, *(events.t[:1] // 2**31 * 2**31)]
    found, _, faults = decoded('libcaer', [words], time_base=base + int(beginning) * 1000)
    assert_same(found, events, -base // 1000 + (nanoseconds > 0))
    assert not faults


@given(streams(first=10**6))
def test_libcaer_cmp_decodes_to_what_was_encoded(events):
    base = int(events.t[0]) if len(events) else 0
    found, _, faults = decoded('libcaer_cmp', [libcaer_cmp(events, base)], time_base=base * 1000)
    assert_same(found, events)
    assert not faults


def test_libcaer_cmp_knows_vectors_of_rows():
    # Column 7; from row 16 on, on: rows 16, 18 and 23.
    words = np.array([2 << 12 | 7, 4 << 12 | 1 << 11 | 16, 5 << 12 | 0b10000101], '<u2')
    found, _, faults = decoded('libcaer_cmp', [words], time_base=5000)
    assert_same(found, Events.of([5] * 3, [7] * 3, [16, 18, 23], [1] * 3, WIDTH, HEIGHT))
    assert not faults


def test_evt3_goes_on_after_its_time_has_wrapped_round_several_times():
    t = np.arange(0, 60 * SECOND, 100_000)
    events = Events.of(t, t % WIDTH, t % HEIGHT, t % 2, WIDTH, HEIGHT)
    found, _, faults = decoded('evt3', [evt3(events)])
    assert_same(found, events)
    assert not faults


@given(streams(), st.lists(st.tuples(st.integers(0, 2**24), st.integers(0, 15), st.booleans())))
def test_edges_at_trigger_inputs_are_kept_among_the_events(events, edges):
    start = int(events.t[0]) if len(events) else 0
    edges = sorted((start + t % (SECOND // 10), channel, int(edge)) for t, channel, edge in edges)
    found, triggers, faults = decoded('evt3', [evt3(events, triggers=edges)])
    shift = start // 2**24 * 2**24
    assert_same(found, events, shift)
    assert [
        (t + shift, channel, edge)
        for t, channel, edge in zip(triggers.t, triggers.channel, triggers.edge, strict=True)
    ] == edges
    assert not faults


def a_second(period=16):
    """Events in one second, one each `period` microseconds."""
    t = np.arange(0, SECOND, period)
    return Events.of(t, t % WIDTH, t % HEIGHT, t % 2, WIDTH, HEIGHT)


@pytest.mark.parametrize('bit', range(12))
def test_a_wrong_bit_in_the_upper_time_moves_no_event_by_more_than_4_ms(bit):
    events = a_second()
    words = evt3(events)
    [upper] = np.nonzero(words >> 12 == 8)
    words[upper[len(upper) // 2]] ^= 1 << bit
    found, _, faults = decoded('evt3', [words])
    assert len(found) == len(events)
    assert np.abs(found.t - events.t).max() <= 4096
    assert found.t[-1] == events.t[-1]
    assert faults


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 15)), max_size=20), places)
def test_wrong_bits_anywhere_leave_the_time_in_order_and_in_bounds(wrong, places):
    events = a_second(1000)
    words = evt3(events)
    for place, bit in wrong:
        words[place % len(words)] ^= np.uint16(1 << bit)
    found, _, _ = decoded('evt3', cut(words, places))
    assert np.all(np.diff(found.t) >= 0)
    assert not len(found) or (max(found.x) < WIDTH and max(found.y) < HEIGHT)


@pytest.mark.parametrize('encoding', DECODERS)
@given(
    packets=st.lists(st.tuples(st.binary(max_size=200), st.integers(0, 2**64 - 1)), max_size=5),
    big_endian=st.booleans(),
)
def test_any_bytes_decode_to_events_on_the_sensor_in_order(encoding, packets, big_endian):
    decoder = decoder_for(encoding, WIDTH, HEIGHT)
    parts = [decoder.decode(data, base, big_endian) for data, base in packets]
    parts.append(decoder.finish())
    events = concatenate([part.events for part in parts])
    triggers = concatenate([part.triggers for part in parts])
    Events.of(events.t, events.x, events.y, events.polarity, WIDTH, HEIGHT)
    assert np.all(np.diff(triggers.t) >= 0)


@pytest.mark.parametrize('encoding', ['evt3', 'evt2', 'mono', 'libcaer_cmp'])
def test_bytes_of_any_origin_need_no_further_compiling(encoding):
    decoder = decoder_for(encoding, WIDTH, HEIGHT)
    content = bytes(64)
    decoder.decode(content)
    kinds = [len(kernel.signatures) for kernel in KERNELS]
    assert any(kinds)
    shifted = np.frombuffer(b'.' + content, np.uint8)[1:]
    for data in (b'', bytearray(content), memoryview(content), shifted, shifted.copy()):
        decoder.decode(data)
        decoder.decode(data, big_endian=True)
    decoder.finish()
    assert [len(kernel.signatures) for kernel in KERNELS] == kinds


@pytest.mark.parametrize('encoding', DECODERS)
def test_an_empty_stream_has_no_events_and_no_faults(encoding):
    events, triggers, faults = decoded(encoding, [np.empty(0, np.uint8)])
    assert (len(events), len(triggers), str(faults)) == (0, 0, '')


@pytest.mark.parametrize(('encoding', 'encode'), [('evt3', evt3), ('evt2', evt2)])
def test_words_of_the_other_byte_order_are_read(encoding, encode):
    events = a_second(10_000)
    words = encode(events)
    found, _, _ = decoded(encoding, [words.astype(words.dtype.newbyteorder())], big_endian=True)
    assert_same(found, events)


@pytest.mark.parametrize(
    ('encoding', 'words'),
    [
        ('evt3', evt3(a_second(1000))),
        ('evt2', evt2(a_second(1000))),
        ('mono', mono(a_second(1000), 0)),
        ('libcaer', libcaer(a_second(1000), 0)),
        ('libcaer_cmp', libcaer_cmp(a_second(1000), 0)),
    ],
)
def test_a_cut_word_is_counted_and_events_outside_the_sensor_are(encoding, words):
    decoder = decoder_for(encoding, WIDTH, HEIGHT // 2)
    half = decoder.decode(words.tobytes()[:-1])
    [on_sensor] = np.nonzero(a_second(1000).y[:-1] < HEIGHT // 2)
    assert len(half.events) == len(on_sensor)
    assert half.faults.truncated == words.itemsize - 1
    assert half.faults.outside == 999 - len(on_sensor)
    assert 'outside the sensor' in str(half.faults)
    assert 'cut word' in str(half.faults)


def test_vectors_that_reach_over_the_edge_lose_what_is_outside():
    # Row 3, from column 30 on, 12 on events, of which the sensor has 10.
    words = np.array([0x8000, 0x6005, 3, 0x3000 | 1 << 11 | 30, 0x4FFF], '<u2')
    events, _, faults = decoded('evt3', [words])
    assert_same(events, Events.of([5] * 10, range(30, 40), [3] * 10, [1] * 10, WIDTH, HEIGHT))
    assert faults == Faults(outside=2)


def test_what_comes_before_time_and_row_is_left_out_and_counted():
    # An event without a time, one without a row, one with both; a word of an unknown kind.
    words = np.array([0x2001, 0x8000, 0x6009, 0x2002, 4, 0x2003, 0x9000], '<u2')
    events, _, faults = decoded('evt3', [words])
    assert_same(events, Events.of([9], [3], [4], [0], WIDTH, HEIGHT))
    assert faults == Faults(unplaced=2, unknown=1)


def test_edges_and_unknown_words_before_the_first_time_are_counted_too():
    words = np.array([0xA001, 0x9000, 0xB000, 0x7000, 0x8000, 0x6009, 0xA000], '<u2')
    _, triggers, faults = decoded('evt3', [words])
    assert triggers.t.tolist() == [9]
    assert faults == Faults(unplaced=1, unknown=2)


def test_after_a_lost_packet_events_wait_for_their_row():
    decoder = decoder_for('evt3', WIDTH, HEIGHT)
    decoder.decode(np.array([0x8000, 0x6009, 4, 0x2003], '<u2'))
    decoder.lose_track()
    after = decoder.decode(np.array([0x2005, 6, 0x2007], '<u2'))
    assert_same(after.events, Events.of([9], [7], [6], [0], WIDTH, HEIGHT))
    assert after.faults == Faults(unplaced=1)


@pytest.mark.parametrize('encoding', ['mono', 'libcaer', 'libcaer_cmp', 'evt2'])
def test_events_back_in_time_get_the_time_before_and_a_clock_started_anew_goes_on(encoding):
    decoder = decoder_for(encoding, WIDTH, HEIGHT)
    encode = {'mono': mono, 'libcaer': libcaer, 'libcaer_cmp': libcaer_cmp}.get(encoding)

    def times(*t):
        events = Events(np.array(t), *([np.ones(len(t), np.uint8)] * 3), WIDTH, HEIGHT)
        if encoding == 'evt2':
            return decoder.decode(evt2(events).tobytes())
        base = min(t) * (1000 if encoding == 'mono' else 1)
        return decoder.decode(encode(events, base).tobytes(), time_base=min(t) * 1000)

    start = 100 * SECOND
    assert times(start, start + 60).events.t.tolist() == [start, start + 60]
    little = times(start + 10)
    assert little.events.t.tolist() == [start + 60]
    assert little.faults.backwards == 1
    anew = [*times(5, 20).events.t, *times(30).events.t, *decoder.finish().events.t]
    assert anew == [start + 60, start + 75, start + 85]


def test_invalid_events_of_libcaer_are_left_out():
    words = libcaer(a_second(250_000), 0)
    words[1] &= ~np.uint64(1)
    events, _, faults = decoded('libcaer', [words])
    assert events.t.tolist() == [0, 500_000, 750_000]
    assert faults == Faults(unknown=1)


def test_triggers_of_their_own_encoding_are_read():
    words = np.array([1 << 63 | 3 << 48 | 7000, 3 << 48 | 9000], '<u8')
    _, triggers, _ = decoded('trigger', [words], time_base=10**6)
    assert triggers.t.tolist() == [1007, 1009]
    assert triggers.edge.tolist() == [1, 0]


def test_an_unknown_encoding_and_an_impossible_sensor_are_refused_in_a_sentence():
    with pytest.raises(ValueError, match=r"evt3, .*, and 'evt4' is none of these"):
        decoder_for('evt4', WIDTH, HEIGHT)
    with pytest.raises(ValueError, match='columns and rows, not 0 x 480'):
        decoder_for('evt3', 0, 480)
