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

from __future__ import annotations

import gzip
import struct

import cv2
import numpy as np
import pytest

from snn_perception.datasets import DatasetError, halves, load_dataset, split
from snn_perception.images import Preprocessing

GREY = Preprocessing((28, 28, 1))


def idx(array):
    """`array` of uint8 as the content of an idx file."""
    header = struct.pack(f'>{array.ndim + 1}I', 0x0800 + array.ndim, *array.shape)
    return header + array.tobytes()


@pytest.fixture
def digits(tmp_path):
    """A folder with the `train` pair of 20 random images; their label is their number mod 10."""
    images = np.random.default_rng(0).integers(0, 256, (20, 28, 28), np.uint8)
    (tmp_path / 'train-images-idx3-ubyte').write_bytes(idx(images))
    with gzip.open(tmp_path / 'train-labels-idx1-ubyte.gz', 'wb') as file:
        file.write(idx((np.arange(20) % 10).astype(np.uint8)))
    return tmp_path, images


def write_pair(folder, prefix, images, labels, middle='-idx', compress=bytes):
    """The two idx files of `prefix` in `folder`."""
    for kind, array in (('images{}3', images), ('labels{}1', labels)):
        name = f'{prefix}-{kind.format(middle)}-ubyte' + '.gz' * (compress is gzip.compress)
        (folder / name).write_bytes(compress(idx(np.asarray(array, np.uint8))))


@pytest.fixture
def pictures(tmp_path):
    """A folder per class of images in several formats and sizes, their colour by class."""
    for name, colour in (('red', (0, 0, 255)), ('green', (0, 255, 0))):
        (tmp_path / name).mkdir()
        for index, suffix in enumerate(('png', 'jpg', 'bmp', 'webp')):
            image = np.full((20 + index, 30, 3), colour, np.uint8)
            cv2.imwrite(str(tmp_path / name / f'{index}.{suffix}'), image)
    return tmp_path


def test_idx_files_are_read_gzipped_or_not(digits):
    folder, images = digits
    dataset = load_dataset(folder, GREY)
    assert np.array_equal(dataset.images[..., 0], images)
    assert list(dataset.labels[:12]) == [*range(10), 0, 1]
    assert dataset.class_names == tuple('0123456789')


def test_the_t10k_pair_is_taken_only_for_held_out_images(digits):
    folder, images = digits
    (folder / 't10k-images-idx3-ubyte').write_bytes(idx(images[:3]))
    (folder / 't10k-labels-idx1-ubyte').write_bytes(idx(np.array([7, 8, 9], np.uint8)))
    training, test = load_dataset(folder, GREY), load_dataset(folder, GREY, held_out=True)
    assert (len(training), training.part) == (20, 'training')
    assert (list(test.labels), test.part) == ([7, 8, 9], 'test')


def test_training_images_do_not_stand_in_for_test_images_without_a_word(digits, caplog):
    assert load_dataset(digits[0], GREY).part == 'training'
    assert not caplog.records
    assert load_dataset(digits[0], GREY, held_out=True).part == 'training'
    assert 'no images for testing, so those for training are used' in caplog.text


def test_test_images_do_not_stand_in_for_training_images(digits):
    folder, images = digits
    for path in folder.iterdir():
        path.unlink()
    write_pair(folder, 't10k', images, np.zeros(20))
    with pytest.raises(DatasetError, match='idx files for testing, but none for training'):
        load_dataset(folder, GREY)


@pytest.mark.parametrize('compress', [bytes, gzip.compress])
@pytest.mark.parametrize('middle', ['-idx', '.idx'])
@pytest.mark.parametrize('below', ['', 'MNIST/raw', 'raw', 'mnist'])
def test_idx_files_are_found_under_every_name_that_archives_give_them(
    tmp_path, middle, compress, below
):
    place = tmp_path / below
    place.mkdir(parents=True, exist_ok=True)
    (place / 'processed').mkdir()
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)
    write_pair(place, 'train', images, [1, 2, 3], middle, compress)
    dataset = load_dataset(tmp_path, GREY)
    assert np.array_equal(dataset.images[..., 0], images)


def test_of_several_data_sets_below_a_folder_one_must_be_given(tmp_path):
    for name in ('MNIST', 'FashionMNIST'):
        place = tmp_path / name / 'raw'
        place.mkdir(parents=True)
        write_pair(place, 'train', np.zeros((1, 28, 28)), [0])
    with pytest.raises(DatasetError, match=r'several data sets; give one of .*FashionMNIST/raw, '):
        load_dataset(tmp_path, GREY)


def test_a_limit_takes_images_from_all_over(digits):
    dataset = load_dataset(digits[0], GREY, limit=4)
    assert list(dataset.labels) == [2, 7, 2, 7]


def test_idx_images_are_brought_to_the_size_of_the_network(digits):
    dataset = load_dataset(digits[0], Preprocessing((14, 14, 3)))
    assert dataset.images.shape == (20, 14, 14, 3)


def test_a_folder_per_class_is_read_in_any_format(pictures):
    dataset = load_dataset(pictures, Preprocessing((8, 8, 3)))
    assert dataset.class_names == ('green', 'red')
    assert list(dataset.labels) == [0] * 4 + [1] * 4
    assert np.all(dataset.images[:4, ..., 1] > 240)
    assert np.all(dataset.images[4:, ..., 0] > 240)


def test_a_folder_around_the_classes_is_looked_through(tmp_path, pictures):
    outer = tmp_path / 'outer'
    (outer / 'train').mkdir(parents=True)
    for name in ('red', 'green'):
        (pictures / name).rename(outer / 'train' / name)
    assert load_dataset(outer, Preprocessing((8, 8, 3))).class_names == ('green', 'red')


def test_labels_are_matched_to_a_model_by_name(pictures):
    dataset = load_dataset(pictures, Preprocessing((8, 8, 3)))
    matched = dataset.matched_to(('red', 'blue', 'green'))
    assert list(matched.labels) == [2] * 4 + [0] * 4
    with pytest.raises(DatasetError, match='does not know the class green'):
        dataset.matched_to(('red', 'blue'))


def test_the_first_images_of_each_class_can_be_had_alone(digits):
    whole = load_dataset(digits[0], GREY)
    few = whole.first_of_each(2)
    for label in np.unique(whole.labels):
        np.testing.assert_array_equal(
            few.images[few.labels == label], whole.images[whole.labels == label][:2]
        )


def test_the_split_holds_out_the_same_images_of_every_class(digits):
    dataset = load_dataset(digits[0], GREY)
    training, validation = split(dataset, 10, seed=3)
    assert sorted(validation.labels) == list(range(10))
    assert sorted(training.labels) == list(range(10))
    again = split(dataset, 10, seed=3)[1]
    assert np.array_equal(validation.images, again.images)
    assert not np.array_equal(validation.images, split(dataset, 10, seed=4)[1].images)


def test_two_halves_have_no_image_in_common_and_as_many_of_every_class(digits):
    dataset = load_dataset(digits[0], GREY)
    parts = halves(dataset, seed=3)
    for part in parts:
        assert sorted(part.labels) == list(range(10))
    together = np.concatenate([part.images for part in parts])
    assert len(np.unique(together, axis=0)) == len(np.unique(dataset.images, axis=0))
    assert np.array_equal(halves(dataset, seed=3)[0].images, parts[0].images)
    assert not np.array_equal(halves(dataset, seed=4)[0].images, parts[0].images)
    odd = halves(dataset.subset(np.arange(3)), seed=0)
    assert [len(part) for part in odd] == [1, 2]


def test_a_split_that_leaves_nothing_is_refused(digits):
    dataset = load_dataset(digits[0], GREY)
    with pytest.raises(DatasetError, match='cannot be held out'):
        split(dataset, 20, seed=0)
    with pytest.raises(DatasetError, match='no training images are left'):
        split(dataset, 19, seed=0)


def break_file(name, content):
    def change(folder):
        (folder / name).write_bytes(content)

    return change


IMAGES = 'train-images-idx3-ubyte'
LABELS = 'train-labels-idx1-ubyte.gz'


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda folder: (folder / LABELS).unlink(), 'only one of the two'),
        (break_file(IMAGES, b''), 'truncated'),
        (break_file(IMAGES, b'PK\x03\x04' + bytes(100)), 'not an idx file'),
        (break_file(IMAGES, struct.pack('>4I', 0x803, 20, 28, 28) + bytes(99)), 'damaged'),
        (break_file(IMAGES, struct.pack('>4I', 0x803, 2**31, 2**15, 9)), 'claims'),
        (break_file(IMAGES, idx(np.zeros((0, 28, 28), np.uint8))), '0 images but .* 20 labels'),
        (break_file(LABELS, b'no gzip at all, not even nearly'), 'cannot be read'),
        (break_file(LABELS, gzip.compress(idx(np.zeros(20, np.uint8)))[:-9]), 'cannot be read'),
        (break_file(LABELS, gzip.compress(idx(np.full(20, 77, np.uint8)))), 'label 77'),
    ],
)
def test_broken_idx_files_are_refused_with_a_sentence(digits, change, message):
    change(digits[0])
    with pytest.raises(DatasetError, match=message) as caught:
        load_dataset(digits[0], GREY)
    assert '\n' not in str(caught.value)


def test_folders_without_images_are_refused(tmp_path, pictures):
    with pytest.raises(DatasetError, match='not a folder'):
        load_dataset(tmp_path / 'nowhere', GREY)
    (pictures / 'empty').mkdir()
    with pytest.raises(DatasetError, match='empty holds no images'):
        load_dataset(pictures, GREY)
    with pytest.raises(DatasetError, match=r'neither MNIST idx files nor .*no class'):
        load_dataset(pictures / 'red', GREY)
