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

"""A folder of images per class, as people really have them."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from snn_perception.datasets import Dataset, DatasetError, load_dataset
from snn_perception.images import Preprocessing

SMALL = Preprocessing((8, 8, 3))


def write(path: Path, level: int = 100, size: tuple[int, int] = (12, 10)) -> None:
    """A grey picture, in the format that the name asks for; PNG if it asks for none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = {'.gif': 'GIF', '.jfif': 'JPEG', '.jpe': 'JPEG', '.jpg': 'JPEG'}.get(path.suffix, 'PNG')
    with path.open('wb') as file:
        Image.new('RGB', size, (level,) * 3).save(file, kind)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two pictures each of two classes."""
    for name in ('can/1.png', 'can/2.png', 'bottle/1.png', 'bottle/2.png'):
        write(tmp_path / 'pictures' / name)
    return tmp_path / 'pictures'


def counts(dataset: Dataset) -> dict[str, int]:
    return {
        name: int(np.sum(dataset.labels == label))
        for label, name in enumerate(dataset.class_names)
    }


@pytest.mark.parametrize('name', ['a.gif', 'a.jfif', 'a.jpe', 'a.JPG', 'photograph', 'a.png.part'])
def test_content_and_not_the_name_makes_an_image(pictures: Path, name: str) -> None:
    write(pictures / 'can' / name)
    assert counts(load_dataset(pictures, SMALL)) == {'bottle': 2, 'can': 3}


def test_a_folder_of_films_is_read_by_their_first_pictures(tmp_path: Path) -> None:
    for name in ('a/1.gif', 'b/1.gif'):
        write(tmp_path / name, 200)
    assert (load_dataset(tmp_path, SMALL).images == 200).all()


def test_pictures_deeper_than_their_class_belong_to_it(pictures: Path) -> None:
    write(pictures / 'can' / 'summer' / '3.png')
    write(pictures / 'can' / 'summer' / 'beach' / '4.png')
    write(pictures / 'bottle' / 'summer' / '3.png')
    assert counts(load_dataset(pictures, SMALL)) == {'bottle': 3, 'can': 4}


def test_pictures_deeper_than_the_only_class_belong_to_it(tmp_path: Path) -> None:
    write(tmp_path / 'can' / '1.png')
    write(tmp_path / 'can' / 'summer' / 'beach' / '2.png')
    assert counts(load_dataset(tmp_path, SMALL)) == {'can': 2}


@pytest.mark.parametrize(
    'name',
    [
        *('.git/a.png', '.ipynb_checkpoints/a.png', '__MACOSX/can/._1.png', 'can/._1.png'),
        *('can/.ipynb_checkpoints/1-checkpoint.png', 'can/Thumbs.db', 'desktop.ini', '.DS_Store'),
    ],
)
def test_what_is_hidden_or_left_over_is_no_class_and_no_image(
    pictures: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    (pictures / name).parent.mkdir(parents=True, exist_ok=True)
    (pictures / name).write_bytes(b'no picture')
    assert counts(load_dataset(pictures, SMALL)) == {'bottle': 2, 'can': 2}
    assert 'skipped 1 hidden or left over by a system' in caplog.text


def test_files_of_another_kind_are_skipped_with_their_number(
    pictures: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ('notes.txt', 'can/labels.csv', 'can/a.xml', 'can/b.xml', 'bottle/readme'):
        (pictures / name).write_text('Python is not a picture')
    write(pictures / 'stray.png')
    assert counts(load_dataset(pictures, SMALL)) == {'bottle': 2, 'can': 2}
    assert caplog.messages == [
        f'{pictures}: skipped 1 in the folder of no class (stray.png) and 5 of no known image '
        f'format (readme, a.xml, b.xml, and 2 more)'
    ]


def spoil(pictures: Path) -> None:
    """Every fault that a collection of photographs has."""
    shutil.copy(pictures / 'can' / '1.png', pictures / 'can' / '3.png')
    (pictures / 'can' / '4.png').symlink_to('gone.png')
    (pictures / 'can' / '5.jpg').write_bytes(b'\xff\xd8\xff\xc0\x00\x02')
    (pictures / 'can' / '6.jpg').touch()
    (pictures / 'can' / '7.heic').write_bytes(b'\0\0\0\x18ftypheic')
    large = bytearray(cv2.imencode('.jpg', np.zeros((16, 16), np.uint8))[1].tobytes())
    size = large.index(b'\xff\xc0') + 5
    large[size : size + 4] = (9000).to_bytes(2, 'big') + (12000).to_bytes(2, 'big')
    (pictures / 'can' / '8.jpg').write_bytes(large)
    (pictures / 'jar').mkdir()


def test_all_that_cannot_be_used_is_listed_at_once(pictures: Path) -> None:
    spoil(pictures)
    with pytest.raises(DatasetError) as caught:
        load_dataset(pictures, SMALL)
    sentence = str(caught.value)
    assert sentence.startswith(f'6 images or classes in {pictures} cannot be used: ')
    assert sentence.endswith('; --skip-unreadable goes on without them')
    for part in (
        *('jar holds no images', '4.png cannot be read: No such file', '5.jpg is not an image'),
        *('6.jpg is not an image that can be read: it is empty', '7.heic is not an image'),
        '8.jpg is not an image that can be read: it has 12000 x 9000 pixels',
    ):
        assert part in sentence


def test_a_long_list_of_faults_is_cut_and_counted(pictures: Path) -> None:
    for index in range(40):
        (pictures / 'can' / f'{index}.jpg').touch()
    with pytest.raises(DatasetError, match=r'^40 images .*; and 32 more; --skip'):
        load_dataset(pictures, SMALL)


def test_what_is_unreadable_can_be_left_out(
    pictures: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spoil(pictures)
    dataset = load_dataset(pictures, SMALL, skip_unreadable=True)
    assert counts(dataset) == {'bottle': 2, 'can': 3}
    assert dataset.unreadable == 5
    assert '6 images or classes' in caplog.text
    assert dataset.matched_to(('can', 'bottle')).unreadable == 5


def test_a_class_that_is_left_without_images_is_left_out(pictures: Path) -> None:
    write(pictures / 'jar' / '1.png', 33)
    for path in (pictures / 'can').iterdir():
        path.write_bytes(b'')
    dataset = load_dataset(pictures, SMALL, skip_unreadable=True)
    assert counts(dataset) == {'bottle': 2, 'jar': 1}
    assert (dataset.images[dataset.labels == 1] == 33).all()


def test_a_limit_does_not_leave_out_a_class(pictures: Path) -> None:
    assert load_dataset(pictures, SMALL, limit=1).class_names == ('bottle', 'can')


def test_nothing_but_unreadable_images_is_refused_even_then(pictures: Path) -> None:
    for path in pictures.rglob('*.png'):
        path.write_bytes(b'')
    with pytest.raises(DatasetError, match=r'none of the 4 images in .* can be read'):
        load_dataset(pictures, SMALL, skip_unreadable=True)


@pytest.mark.parametrize(
    ('parts', 'trains_on', 'evaluates_on'),
    [
        (('train', 'val'), 'training', 'validation'),
        (('train', 'test'), 'training', 'test'),
        (('Train', 'Test', 'Valid'), 'training', 'test'),
        (('training', 'validation'), 'training', 'validation'),
        (('data/train', 'data/val'), 'training', 'validation'),
        (('train',), 'training', 'training'),
    ],
)
def test_training_and_evaluation_take_their_own_folders(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    parts: tuple[str, ...],
    trains_on: str,
    evaluates_on: str,
) -> None:
    levels = {'training': 10, 'test': 20, 'validation': 30}
    for name in parts:
        kind = {'tr': 'training', 'te': 'test', 'va': 'validation'}[Path(name).name.lower()[:2]]
        for picture in ('can/1.png', 'bottle/1.png'):
            write(tmp_path / name / picture, levels[kind])
    for held_out, expected in ((False, trains_on), (True, evaluates_on)):
        dataset = load_dataset(tmp_path, SMALL, held_out=held_out)
        assert counts(dataset) == {'bottle': 1, 'can': 1}
        assert dataset.part == expected
        assert (dataset.images == levels[expected]).all()
    assert f'the images in {tmp_path / parts[0]} are read' in caplog.text


def test_a_folder_of_tests_without_classes_gives_way_to_validation(tmp_path: Path) -> None:
    for name in ('train/can/1.png', 'val/can/1.png', 'test/1.png'):
        write(tmp_path / name)
    assert load_dataset(tmp_path, SMALL, held_out=True).part == 'validation'


def test_a_class_called_train_is_a_class(tmp_path: Path) -> None:
    for name in ('train/1.png', 'bus/1.png'):
        write(tmp_path / name)
    assert counts(load_dataset(tmp_path, SMALL)) == {'bus': 1, 'train': 1}


def test_links_to_folders_are_followed_and_rings_of_them_end(pictures: Path) -> None:
    write(pictures.parent / 'elsewhere' / '1.png')
    (pictures / 'jar').symlink_to('../elsewhere')
    (pictures / 'can' / 'again').symlink_to('..')
    assert counts(load_dataset(pictures, SMALL)) == {'bottle': 2, 'can': 2, 'jar': 1}
