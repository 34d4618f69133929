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

import cv2
import numpy as np
import pytest
from tiny_events import same, tiny_recordings, written
from tiny_training import tiny_dataset

from snn_perception.datasets import Dataset, DatasetError
from snn_perception.datasets.event_sources import load_events
from snn_perception.datasets.simulated import Simulation, simulated
from snn_perception.events.shaping import EventShaping

SHAPING = EventShaping((8, 8, 2))


def saved(folder, dataset):
    """The images as files in a folder for each class."""
    for index, (image, label) in enumerate(zip(dataset.images, dataset.labels, strict=True)):
        place = folder / dataset.class_names[label]
        place.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(place / f'{index}.png'), image)


def test_each_recording_is_of_its_own_image():
    images = np.zeros((2, 8, 8, 1), np.uint8)
    images[0, :, 3:5] = 255
    images[1, 3:5] = 255
    dataset = Dataset(images, np.array([1, 0]), ('across', 'down'))
    events = simulated(dataset, Simulation(), 8, 8)
    assert events.labels.tolist() == [1, 0]
    first, second = events.recording(0), events.recording(1)
    # The edges of a bar are where it does not go on: left and right of it, or above and below.
    assert first.x.std() < first.y.std()
    assert second.y.std() < second.x.std()


def test_a_recording_depends_on_its_image_and_number_and_the_seed_alone():
    dataset = tiny_dataset(12)
    whole = simulated(dataset, Simulation(), 8, 8, seed=3)
    some = simulated(dataset, Simulation(images=4), 8, 8, seed=3)
    other = simulated(dataset, Simulation(images=4), 8, 8, seed=4)
    assert some.names.tolist() == ['00002', '00005', '00008', '00011']
    for place, name in enumerate(some.names):
        number = int(name) - 1
        assert same(some.recording(place), whole.recording(number))
        assert some.labels[place] == dataset.labels[number]
        assert not same(some.recording(place), other.recording(place))


def test_light_and_dark_swapped_swap_the_polarities_of_edges():
    image = np.zeros((1, 8, 8, 1), np.uint8)
    image[0, 2:6, 2:6] = 255
    dataset = Dataset(image, np.array([0]), ('square',))
    plain, inverted = (
        simulated(dataset, Simulation(invert=each), 8, 8).recording(0).between(0, 100_000)
        for each in (False, True)
    )
    # Down in the first saccade: the lower edge leads.
    for events, leading in ((plain, 1), (inverted, 0)):
        early = events.between(40_000, 60_000)
        below = early.y[early.polarity == leading].mean()
        assert below > early.y[early.polarity != leading].mean() + 1


def test_images_in_colour_are_refused():
    dataset = Dataset(np.zeros((2, 8, 8, 3), np.uint8), np.array([0, 1]), ('a', 'b'))
    with pytest.raises(DatasetError, match='grey'):
        simulated(dataset, Simulation(), 8, 8)


@pytest.mark.parametrize('changes', [{'images': -1}, {'repeats': 0}, {'image_shape': (0, 3)}])
def test_a_simulation_that_cannot_be_is_refused(changes):
    with pytest.raises(ValueError, match=f'{next(iter(changes))} of the simulation'):
        Simulation(**changes)


def test_recordings_are_read_and_images_become_recordings_beside_them(tmp_path):
    written(tmp_path / 'real', tiny_recordings(8))
    saved(tmp_path / 'images', tiny_dataset(12))
    real, made = load_events(
        [tmp_path / 'images', tmp_path / 'real'], SHAPING, Simulation(images=6), 0
    )
    assert (len(real), len(made)) == (8, 6)
    assert made.class_names == real.class_names
    assert (made.width, made.height) == (8, 8)


def test_images_alone_are_enough(tmp_path):
    saved(tmp_path, tiny_dataset(12))
    made, beside = load_events([tmp_path], SHAPING, Simulation(image_shape=(4, 6)), 0)
    assert len(made) == 12
    assert beside is None


def test_a_folder_of_neither_is_named(tmp_path):
    (tmp_path / 'things').mkdir()
    (tmp_path / 'things' / 'notes.txt').write_text('none')
    with pytest.raises(DatasetError, match=r'recordings per class.*images'):
        load_events([tmp_path], SHAPING, Simulation(), 0)
