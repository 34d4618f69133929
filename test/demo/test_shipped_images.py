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

"""The images that the demo shows to each shipped model."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from snn_perception import load_model
from snn_perception.datasets.finding import find_images
from snn_perception.demo.scoreboard import names
from snn_perception.demo.shipped_images import SHIPPED_IMAGES, arguments_for
from snn_perception.image_files import read_image
from snn_perception.locations import MODELS, resolve, resolve_path, share_directory

IMAGES = share_directory() / 'resource' / 'images'


def shipped(model: str) -> list[Path]:
    """The images that the demo shows to `model`."""
    [option, rule] = arguments_for(model)
    assert option == '-p'
    return find_images(resolve_path(rule.removeprefix('camera:source:='))).images


def test_every_shipped_model_has_images_to_show() -> None:
    seeing = {name for name in MODELS.names() if not load_model(name).network.hears_events}
    assert seeing <= set(SHIPPED_IMAGES)


def test_another_model_leaves_what_the_camera_shows_to_its_parameters() -> None:
    assert arguments_for('/some/folder') == arguments_for(None) == []


@pytest.mark.parametrize('model', SHIPPED_IMAGES)
def test_images_lie_in_folders_that_their_model_has_labels_for(model: str) -> None:
    if model not in MODELS.names():
        pytest.skip(f'the model {model} is not there')
    labels = yaml.safe_load((resolve(model, MODELS) / 'model.yaml').read_text())['labels']
    known = {name for label in labels for name in (label, *names(label))}
    images = shipped(model)
    assert images
    assert {path.parent.name for path in images} <= known


def test_everyday_photographs_are_as_a_camera_shows_them_and_together_small() -> None:
    photographs = shipped('everyday')
    assert 12 <= len(photographs) <= 24
    assert {read_image(path).shape for path in photographs} == {(480, 640, 3)}
    assert {path.suffix for path in photographs} == {'.jpg'}
    assert sum(path.stat().st_size for path in photographs) < 1.5e6


def test_everyday_photographs_are_listed_with_what_they_show_and_their_licence() -> None:
    lines = (IMAGES / 'LICENSE.md').read_text().splitlines()
    rows = [[cell.strip() for cell in line.split('|')[1:-1]] for line in lines]
    listed = {row[0].strip('`'): row[1:] for row in rows if row and row[0].endswith('.jpg`')}
    photographs = shipped('everyday')
    assert {path.name: path.parent.name for path in photographs} == {
        name: shows for name, (shows, *_) in listed.items()
    }
    assert all(all(cells) and len(cells) == 4 for cells in listed.values())
