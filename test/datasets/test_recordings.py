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

"""Recordings of event cameras are read from every kind of file, and survived when damaged."""

from __future__ import annotations

import logging
import re
import tarfile
from itertools import islice

import numpy as np
import pytest
from event_encoders import HEIGHT, REAL, WIDTH, evt2, evt3, evt21

from snn_perception.datasets import DatasetError
from snn_perception.datasets.recordings import find_recordings, load_recording, read_recording
from snn_perception.events.stream import Events

NMNIST = REAL / 'nmnist.tar.xz'

T = np.arange(5_000, 300_000, 700)
N = np.arange(len(T))
EVENTS = Events.of(T, N % 7, N % 11, N % 2, WIDTH, HEIGHT)


def assert_same(found, expected):
    for name in ('t', 'x', 'y', 'polarity'):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert (found.width, found.height) == (expected.width, expected.height)


def raw(*lines, words=None):
    words = evt3(EVENTS) if words is None else words
    return ''.join(f'% {line}\n' for line in lines).encode() + words.tobytes()


SIZE = f'{WIDTH}x{HEIGHT}'
FORMAT = f'format EVT3;height={HEIGHT};width={WIDTH}'
FORMAT21 = f'format EVT21;height={HEIGHT};width={WIDTH}'


def halves_swapped(words):
    return words.view('<u4').reshape(-1, 2)[:, ::-1].copy()


@pytest.mark.parametrize(
    'content',
    [
        raw('evt 3.0', FORMAT, 'camera_integrator_name Prophesee', f'geometry {SIZE}', 'end'),
        raw(FORMAT, 'end'),
        raw(FORMAT),
        raw('evt 3.0', f'geometry {SIZE}'),
        raw('evt 2.0', 'format EVT2', f'geometry {SIZE}', 'end', words=evt2(EVENTS)),
        raw(f'{FORMAT};endianness=big', 'end', words=evt3(EVENTS).astype('>u2')),
        raw(FORMAT, 'endianness big', 'end', words=evt3(EVENTS).astype('>u2')),
        raw(f'{FORMAT21};endianness=little', 'end', words=evt21(EVENTS)),
        raw(FORMAT21, f'geometry {SIZE}', 'end', words=evt21(EVENTS)),
        raw('evt 2.1', f'geometry {SIZE}', words=evt21(EVENTS)),
        raw(f'{FORMAT21};endianness=legacy', 'end', words=halves_swapped(evt21(EVENTS))),
        raw('evt 2.1', 'endianness legacy', FORMAT21, words=halves_swapped(evt21(EVENTS))),
    ],
)
def test_raw_files_of_all_encodings_are_read_by_their_headers(content, tmp_path):
    path = tmp_path / 'one.RAW'
    path.write_bytes(content)
    assert_same(load_recording(path), EVENTS)


@pytest.mark.parametrize(
    ('content', 'sentence'),
    [
        (raw('format EVT4;height=720;width=1280'), "EVT21 or EVT3, and its header says 'EVT4'"),
        (raw('date 2026-11-26'), 'says nothing of it'),
        (raw('evt 3.0'), 'does not say the size of its sensor'),
        (raw('evt 3.0', 'geometry 0x0'), '1 to 65536'),
        (raw('format EVT3;height=many;width=1280'), 'does not say the size of its sensor'),
        (b'', 'says nothing of it'),
    ],
)
def test_raw_files_that_cannot_be_read_are_refused_in_a_sentence(content, sentence, tmp_path):
    path = tmp_path / 'one.raw'
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=sentence):
        load_recording(path)


def test_a_raw_file_without_a_size_takes_that_which_is_given(tmp_path):
    path = tmp_path / 'one.raw'
    path.write_bytes(raw('evt 3.0', 'end'))
    assert_same(load_recording(path, (WIDTH, HEIGHT)), EVENTS)


def test_a_raw_file_cut_in_a_word_gives_what_is_before_and_a_warning(tmp_path, caplog):
    path = tmp_path / 'one.raw'
    path.write_bytes(raw(FORMAT, 'end')[:-1])
    found = load_recording(path)
    assert_same(found, EVENTS[: len(found)])
    assert len(EVENTS) - len(found) == 1
    assert 'one.raw: 1 bytes of a cut word' in caplog.text


def test_a_raw_file_without_events_is_an_empty_recording(tmp_path, caplog):
    path = tmp_path / 'one.raw'
    path.write_bytes(raw(FORMAT, 'end', words=np.empty(0, '<u2')))
    assert_same(load_recording(path), Events.none(WIDTH, HEIGHT))
    assert not caplog.records


def nmnist(events):
    t = events.t.astype(np.uint32)
    high = (t >> 16).astype(np.uint8) | events.polarity << 7
    columns = (events.x, events.y, high, t >> 8, t)
    return np.stack([column.astype(np.uint8) for column in columns], 1).tobytes()


SMALL = Events.of(T, N % 7, N % 11, N % 2, 34, 34)


def test_files_of_nmnist_are_read(tmp_path):
    path = tmp_path / '00002.bin'
    path.write_bytes(nmnist(SMALL))
    assert_same(load_recording(path), SMALL)


def test_rows_that_mean_a_later_time_do_so(tmp_path):
    path = tmp_path / 'one.bin'
    path.write_bytes(bytes([1, 2, 128, 0, 5, 0, 240, 0, 0, 0, 3, 4, 0, 0, 6]))
    late = Events.of([5, 2**13 + 6], [1, 3], [2, 4], [1, 0], 240, 180)
    assert_same(load_recording(path, (240, 180)), late)


def test_faults_of_a_file_are_counted_in_one_warning(tmp_path, caplog):
    path = tmp_path / 'one.bin'
    path.write_bytes(bytes([1, 2, 128, 0, 9, 3, 4, 0, 0, 6, 34, 0, 0, 0, 9, 7, 7]))
    assert_same(load_recording(path), Events.of([9, 9], [1, 3], [2, 4], [1, 0], 34, 34))
    [record] = caplog.records
    assert '1 events outside the sensor, 1 events back in time, 2 bytes' in record.message


@pytest.mark.parametrize('polarity', ['polarity', 'p'])
def test_arrays_of_numpy_are_read(polarity, tmp_path):
    path = tmp_path / 'one.npz'
    columns = {'t': EVENTS.t, 'x': EVENTS.x, 'y': EVENTS.y, polarity: EVENTS.polarity == 1}
    np.savez(path, **columns, width=WIDTH, height=HEIGHT)
    assert_same(load_recording(path), EVENTS)
    kinds = [(name, column.dtype) for name, column in columns.items()]
    one = np.empty(len(EVENTS), kinds)
    for name, column in columns.items():
        one[name] = column
    np.save(tmp_path / 'one.npy', one)
    assert_same(load_recording(tmp_path / 'one.npy', (WIDTH, HEIGHT)), EVENTS)
    assert load_recording(tmp_path / 'one.npy').width == 7


@pytest.mark.parametrize(
    'columns',
    [
        {'t': [1], 'x': [1], 'y': [1]},
        {'t': [1.5], 'x': [1], 'y': [1], 'p': [1]},
        {'t': [1, 2], 'x': [1], 'y': [1], 'p': [1]},
        {'t': [1], 'x': [1], 'y': [1], 'p': [{}]},
        {'t': [1], 'x': [1], 'y': [1], 'p': [1], 'width': [1, 2], 'height': 3},
        {'t': [1], 'x': [1], 'y': [1], 'p': [1], 'width': 0, 'height': 3},
    ],
)
def test_arrays_that_are_no_events_are_refused(columns, tmp_path):
    path = tmp_path / 'one.npz'
    np.savez(path, **columns)
    with pytest.raises(DatasetError, match=r'one\.npz cannot be read'):
        load_recording(path)


@pytest.mark.parametrize('name', ['one.npz', 'one.npy'])
def test_files_of_numpy_that_are_none_are_refused(name, tmp_path):
    for content in (b'', b'PK\3\4 and no more', b'\x93NUMPY'):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DatasetError, match='cannot be read'):
            load_recording(tmp_path / name)


def test_damaged_files_of_numpy_are_refused_whatever_becomes_of_them(tmp_path):
    path = tmp_path / 'one.npz'
    np.savez_compressed(path, t=EVENTS.t, x=EVENTS.x, y=EVENTS.y, p=EVENTS.polarity)
    content = path.read_bytes()
    refused = []
    for place in range(0, len(content), 9):
        damaged = bytearray(content)
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        try:
            load_recording(path)
        except DatasetError as reason:
            refused.append(str(reason))
    assert len(refused) > 10
    assert all(re.search(r'one\.npz cannot be read: .', reason) for reason in refused)


def test_in_a_file_a_clock_that_was_started_anew_goes_on(tmp_path, caplog):
    path = tmp_path / 'one.npz'
    t = [10**12, 10**12 - 7, 10**12 + 3, 5, 25]
    np.savez(path, t=t, x=[0] * 5, y=[0] * 5, p=[0] * 5)
    assert (load_recording(path).t - 10**12).tolist() == [0, 0, 3, 3, 23]
    assert '2 events back in time' in caplog.text


def test_what_is_no_recording_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(DatasetError, match='there is no recording'):
        load_recording(tmp_path / 'one.raw')
    (tmp_path / 'one.avi').touch()
    with pytest.raises(DatasetError, match=r'recordings end in \.raw, '):
        load_recording(tmp_path / 'one.avi')
    with pytest.raises(DatasetError, match='no bag of ROS 2'):
        load_recording(tmp_path)


def test_a_long_recording_comes_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr('snn_perception.datasets.recordings_raw.PIECE', 128)
    path = tmp_path / 'one.raw'
    path.write_bytes(raw(FORMAT, 'end'))
    assert len(list(read_recording(path))) > 10
    assert_same(load_recording(path), EVENTS)


def test_recordings_are_found_in_the_folder_of_each_class(tmp_path, caplog):
    for place in ('Train/3/a.bin', 'Train/7/b.bin', 'Train/7/deep/c.bin', 'Test/3/d.bin'):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(nmnist(SMALL))
    (tmp_path / 'Train' / '3' / 'notes.txt').touch()
    (tmp_path / 'Train' / '3' / '.hidden.bin').touch()
    bag = tmp_path / 'Train' / '3' / 'bag'
    bag.mkdir()
    (bag / 'metadata.yaml').touch()
    with caplog.at_level(logging.WARNING):
        found = find_recordings(tmp_path)
    assert [path.name for path in found.paths] == ['a.bin', 'bag', 'b.bin', 'c.bin']
    assert found.labels.tolist() == [0, 0, 1, 1]
    assert (found.class_names, found.part) == (('3', '7'), 'training')
    assert 'skipped 1 files that are no recordings (notes.txt)' in caplog.text
    held_out = find_recordings(tmp_path, held_out=True)
    assert ([path.name for path in held_out.paths], held_out.part) == (['d.bin'], 'test')


def test_a_folder_without_recordings_is_refused(tmp_path):
    with pytest.raises(DatasetError, match='no folder of recordings per class'):
        find_recordings(tmp_path)
    with pytest.raises(DatasetError, match='is not a folder'):
        find_recordings(tmp_path / 'none')


@pytest.mark.skipif(not NMNIST.is_file(), reason='needs recordings of N-MNIST')
def test_real_recordings_of_nmnist_are_300_ms_of_thousands_of_events(tmp_path, caplog):
    with tarfile.open(NMNIST) as archive:
        files = [member for member in islice(archive, 40) if member.isfile()]
        archive.extractall(tmp_path, files)
    found = find_recordings(tmp_path)
    assert len(found) == len(files) > 20
    assert set(found.class_names) <= set('0123456789')
    for path in found.paths:
        events = load_recording(path)
        assert 500 < len(events) < 20_000
        assert 250_000 < events.t[-1] - events.t[0] < 350_000
    assert not caplog.records
