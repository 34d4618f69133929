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

"""CIFAR-10 batches, binary and of Python, and what of them is refused."""

from __future__ import annotations

import os
import pickle

import numpy as np
import pytest

from snn_perception.datasets import DatasetError, load_dataset
from snn_perception.images import Preprocessing

COLOUR = Preprocessing((32, 32, 3), mean=(0.5,) * 3, deviation=(0.25,) * 3)
PIXELS = 3 * 32 * 32


def batch(seed, count=12):
    """Pixels as in the files, all red before all green before all blue, and labels."""
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (count, PIXELS), np.uint8), np.arange(count) % 10


def write_binary(path, pixels, labels):
    path.write_bytes(np.column_stack([labels.astype(np.uint8), pixels]).tobytes())


def write_python(path, pixels, labels):
    content = {b'batch_label': b'one of several', b'data': pixels, b'labels': labels.tolist()}
    path.write_bytes(pickle.dumps(content, protocol=2))


WRITERS = [('.bin', write_binary), ('', write_python)]


@pytest.mark.parametrize(('suffix', 'write'), WRITERS)
def test_all_training_batches_are_read_in_order(tmp_path, suffix, write):
    for number in (2, 1):
        write(tmp_path / f'data_batch_{number}{suffix}', *batch(number))
    write(tmp_path / f'test_batch{suffix}', *batch(9, 5))
    dataset = load_dataset(tmp_path, COLOUR)
    assert len(dataset) == 24
    assert dataset.class_names[:2] == ('airplane', 'automobile')
    assert list(dataset.labels[:12]) == [*range(10), 0, 1]
    pixels, _ = batch(1)
    assert np.array_equal(dataset.images[3, :, :, 1].reshape(-1), pixels[3, 1024:2048])
    pixels, _ = batch(2)
    assert np.array_equal(dataset.images[12, :, :, 2].reshape(-1), pixels[0, 2048:])


@pytest.mark.parametrize(('suffix', 'write'), WRITERS)
def test_the_test_batch_is_taken_only_for_held_out_images(tmp_path, suffix, write):
    write(tmp_path / f'data_batch_1{suffix}', *batch(1))
    assert len(load_dataset(tmp_path, COLOUR, held_out=True)) == 12
    write(tmp_path / f'test_batch{suffix}', *batch(9, 5))
    assert len(load_dataset(tmp_path, COLOUR, held_out=True)) == 5


def test_batches_fit_into_networks_of_another_size(tmp_path):
    write_binary(tmp_path / 'data_batch_1.bin', *batch(1))
    assert load_dataset(tmp_path, Preprocessing((20, 20, 1)), limit=3).images.shape == (
        3,
        20,
        20,
        1,
    )


class Harm:
    def __reduce__(self):
        return os.mkdir, ('harm',)


def test_only_plain_arrays_are_unpickled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pixels, labels = batch(1)
    content = {b'data': pixels, b'labels': labels.tolist(), b'more': Harm()}
    (tmp_path / 'data_batch_1').write_bytes(pickle.dumps(content, protocol=2))
    with pytest.raises(DatasetError, match=r'refused: it wants posix\.mkdir, and only plain'):
        load_dataset(tmp_path, COLOUR)
    assert not (tmp_path / 'harm').exists()


@pytest.mark.parametrize(
    ('change', 'reason'),
    [
        (lambda content: content[:-7], 'not a batch of CIFAR-10'),
        (lambda content: b'', 'not a batch of CIFAR-10'),
        (lambda content: pickle.dumps([1, 2]), 'not a batch of CIFAR-10'),
        (lambda content: pickle.dumps({b'data': [1], b'labels': [1]}), 'rows of 3072 bytes'),
        (
            lambda content: pickle.dumps(
                {b'data': np.zeros((3, 9), np.uint8), b'labels': [1] * 3}
            ),
            'rows of 3072 bytes',
        ),
        (
            lambda content: pickle.dumps({b'data': np.array([Harm()]), b'labels': [1]}),
            r'refused: it wants posix\.mkdir',
        ),
    ],
)
def test_damaged_python_batches_are_refused(tmp_path, change, reason):
    path = tmp_path / 'data_batch_1'
    write_python(path, *batch(1))
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DatasetError, match=reason):
        load_dataset(tmp_path, COLOUR)


def test_damaged_binary_batches_are_refused(tmp_path):
    path = tmp_path / 'data_batch_1.bin'
    path.write_bytes(b'\x01' * 5000)
    with pytest.raises(DatasetError, match='5000 bytes are not a multiple of 3073'):
        load_dataset(tmp_path, COLOUR)
    pixels, labels = batch(1)
    write_binary(path, pixels, labels + 3)
    with pytest.raises(DatasetError, match='hold labels from 3 to 12; 0 to 9 are right'):
        load_dataset(tmp_path, COLOUR)
    path.write_bytes(b'')
    with pytest.raises(DatasetError, match='hold no images'):
        load_dataset(tmp_path, COLOUR)


def test_files_too_large_are_not_read(tmp_path):
    with (tmp_path / 'data_batch_1.bin').open('wb') as file:
        file.truncate(200_000_000)
    with pytest.raises(DatasetError, match='200000000 bytes, more than'):
        load_dataset(tmp_path, COLOUR)


@pytest.mark.parametrize(('suffix', 'write'), WRITERS)
def test_batches_are_found_where_archives_unpack_them(tmp_path, caplog, suffix, write):
    place = tmp_path / 'cifar-10-batches'
    place.mkdir()
    write(place / f'data_batch_1{suffix}', *batch(1))
    (place / 'batches.meta').write_bytes(b'')
    assert len(load_dataset(tmp_path, COLOUR)) == 12
    assert f'the images in {place} are read' in caplog.text


def test_the_test_batch_is_not_trained_on(tmp_path):
    write_binary(tmp_path / 'test_batch.bin', *batch(1))
    with pytest.raises(DatasetError, match='test batch of CIFAR-10, but none for training'):
        load_dataset(tmp_path, COLOUR)
