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

"""Which frames are kept, in which take, and what happens to a recording."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from camera_takes import frame, picture

from snn_perception.nodes.collecting.collection import LEASE, Collection, Refused
from snn_perception.nodes.collecting.picture_folder import Count, PictureFolder
from snn_perception.nodes.parameters.collect_parameters import CollectParameters


class Desk:
    """A collection with a clock, before which things are shown."""

    def __init__(self, folder: Path, **parameters: float) -> None:
        self.now = 100.0
        self.parameters = CollectParameters(**parameters)
        self.folder = folder
        self.collection = Collection(
            PictureFolder(folder), lambda: self.parameters, lambda: self.now
        )
        self._steps = count()

    def show(self, pixels: np.ndarray | None = None, seconds: float = 0.0) -> None:
        """Have the camera show something new, or these `pixels`, after some time."""
        self.now += seconds
        pixels = picture('red', next(self._steps)) if pixels is None else pixels
        self.collection.see(frame(pixels, self.now))

    def save(self, name: str = 'mug', seconds: float = 0.0) -> bool:
        """Save a new frame after some time."""
        self.show(seconds=seconds)
        return self.collection.save(name)

    @property
    def takes(self) -> dict[str, list[int]]:
        """How many pictures are in each take on the disk, in the order of their names."""
        return {
            one.name: [len(list(take.iterdir())) for take in sorted(one.iterdir())]
            for one in sorted(self.folder.iterdir())
        }


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    return Desk(tmp_path / 'collected')


def test_frames_of_a_class_without_a_pause_are_one_take(desk: Desk) -> None:
    for _ in range(3):
        assert desk.save(seconds=4.9)
    assert desk.takes == {'mug': [3]}


def test_a_pause_begins_a_new_take(desk: Desk) -> None:
    desk.save()
    desk.save(seconds=5.1)
    assert desk.takes == {'mug': [1, 1]}
    assert desk.collection.counts() == {'mug': Count(2, 2)}


def test_a_frame_that_is_skipped_keeps_its_take_open(desk: Desk) -> None:
    desk.save()
    desk.show(picture('red', 0), seconds=4)
    assert not desk.collection.save('mug')
    desk.save(seconds=4)
    assert desk.takes == {'mug': [2]}


def test_a_new_take_begins_on_request(desk: Desk) -> None:
    desk.save()
    desk.collection.begin_take()
    desk.save()
    assert desk.takes == {'mug': [1, 1]}


def test_each_class_has_takes_of_its_own(desk: Desk) -> None:
    for name in ('mug', 'spoon', 'mug'):
        desk.save(name, seconds=1)
    assert desk.takes == {'mug': [2], 'spoon': [1]}


def test_a_frame_like_one_of_its_class_is_skipped_and_counted(desk: Desk) -> None:
    desk.save('mug')
    assert not desk.collection.save('mug')
    assert desk.collection.save('spoon')
    assert (desk.collection.totals.saved, desk.collection.totals.skipped) == (2, 1)
    desk.parameters = CollectParameters(min_difference=0.0)
    assert desk.collection.save('mug')


def test_the_last_frame_is_deleted_and_then_the_one_before(desk: Desk) -> None:
    desk.save('mug')
    desk.save('spoon')
    desk.collection.delete_last()
    assert desk.takes == {'mug': [1]}
    desk.collection.delete_last()
    assert desk.takes == {}
    assert desk.collection.counts() == {'mug': Count(), 'spoon': Count()}
    with pytest.raises(Refused, match='nothing is left'):
        desk.collection.delete_last()


def test_what_goes_on_after_a_deletion_is_of_the_same_take(desk: Desk) -> None:
    for _ in range(2):
        desk.save()
    desk.collection.delete_last()
    desk.save()
    assert desk.takes == {'mug': [2]}


def test_the_last_take_is_deleted_as_a_whole(desk: Desk) -> None:
    for seconds in (0, 9, 1, 1):
        desk.save(seconds=seconds)
    desk.collection.delete_last(whole_take=True)
    assert desk.takes == {'mug': [1]}


def test_a_picture_that_somebody_else_deleted_is_told_of_and_forgotten(desk: Desk) -> None:
    desk.save()
    desk.save()
    next((desk.folder / 'mug').rglob('0002.png')).unlink()
    with pytest.raises(Refused, match=r'0002.png cannot be deleted'):
        desk.collection.delete_last()
    desk.collection.delete_last()
    assert desk.takes == {}


def test_a_take_that_somebody_else_deleted_is_begun_anew(desk: Desk) -> None:
    desk.save()
    [take] = (desk.folder / 'mug').iterdir()
    next(take.iterdir()).unlink()
    take.rmdir()
    with pytest.raises(Refused, match='cannot be written'):
        desk.save()
    desk.save()
    assert desk.takes == {'mug': [1]}


# --- recording ---


def test_a_recording_saves_at_its_rate_until_it_is_stopped(desk: Desk) -> None:
    desk.show()
    desk.collection.record('mug')
    for _ in range(10):
        desk.show(seconds=0.1)
    desk.collection.stop()
    desk.show(seconds=1)
    assert desk.takes == {'mug': [5]}


def test_a_recording_of_a_page_that_is_gone_ends(desk: Desk) -> None:
    desk.show()
    desk.collection.record('mug', 'page 1')
    desk.show(seconds=1)
    desk.collection.hear('page 1')
    desk.show(seconds=LEASE - 1)
    assert desk.collection.recording
    desk.collection.hear('page 2')
    desk.show(seconds=2)
    assert not desk.collection.recording
    assert desk.collection.message == 'the page that recorded mug is gone'
    assert desk.takes == {'mug': [2]}


def test_a_recording_that_a_service_began_goes_on_without_a_page(desk: Desk) -> None:
    desk.show()
    desk.collection.record('mug')
    for _ in range(3):
        desk.show(seconds=10 * LEASE)
    assert desk.takes == {'mug': [1, 1, 1]}


def test_a_full_disk_ends_a_recording_and_leaves_nothing_half_written(
    desk: Desk, full_disk
) -> None:
    random = np.random.default_rng(0)
    desk.show()
    desk.collection.record('mug')
    with full_disk():
        desk.show(random.integers(0, 255, (100, 100, 3), np.uint8), seconds=1)
        assert desk.collection.recording is None
        assert desk.collection.is_trouble
        assert 'recording mug ended: ' in desk.collection.message
        with pytest.raises(Refused, match='too large'):
            desk.collection.save('mug')
    assert desk.takes == {}
    assert desk.save()


# --- requests that cannot be met ---


def test_nothing_is_saved_before_the_first_frame_or_of_a_camera_that_is_silent(
    desk: Desk,
) -> None:
    with pytest.raises(Refused, match='there is no frame yet'):
        desk.collection.save('mug')
    desk.show()
    desk.now += 3
    for request in (desk.collection.save, desk.collection.record):
        with pytest.raises(Refused, match='no frame that can be read for 3 s'):
            request('mug')
    assert desk.takes == {}


def test_a_name_that_cannot_be_is_refused_by_every_request(desk: Desk) -> None:
    desk.save('mug')
    requests = (desk.collection.add_class, desk.collection.save, desk.collection.record)
    for request in requests:
        for name in ('a/b', 'Mug'):
            with pytest.raises(Refused, match='a class cannot be called'):
                request(name)
    assert list(desk.collection.counts()) == ['mug']


def test_classes_stay_in_the_order_in_which_they_came(desk: Desk) -> None:
    for name in ('spoon', 'apple'):
        desk.save(name)
    desk.collection.add_class('box')
    assert list(desk.collection.counts()) == ['spoon', 'apple', 'box']
    again = Desk(desk.folder)
    assert list(again.collection.counts()) == ['apple', 'spoon']


def test_two_collections_in_one_folder_both_keep_what_they_save(desk: Desk) -> None:
    other = Desk(desk.folder)
    for _ in range(3):
        desk.save()
        other.save()
    assert desk.takes == {'mug': [3, 3]}
    desk.collection.recount()
    assert desk.collection.counts() == {'mug': Count(6, 2)}
