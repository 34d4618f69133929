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

"""The page of a model: what is written, and what stands at its top."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import colour_model
import cv2
import numpy as np
import pytest
from random_models import random_model

from snn_perception.backends import create_simulator
from snn_perception.datasets import Dataset
from snn_perception.evaluation.damage import every_kind
from snn_perception.evaluation.findings import study
from snn_perception.evaluation.trajectories import record
from snn_perception.readout import Readout
from snn_perception.reporting.writing import write_report


def write(output: Path, channels: int, threshold: float = 0.5) -> tuple[dict[str, Any], str]:
    """The figures and the page of a random model on random images."""
    model = random_model(input_shape=(11, 10, channels))
    model = replace(model, readout=Readout(0.05, 0.01, 0.002, threshold, temperature=3.0))
    random = np.random.default_rng(3)
    brightest = random.integers(1, 256, (20, 1, 1, channels))
    images = random.integers(0, brightest, (20, 11, 10, channels)).astype(np.uint8)
    dataset = Dataset(images, random.integers(0, 3, 20), model.labels)
    simulator, rates = create_simulator(model, 'reference'), create_simulator(model, 'rate')
    findings = study(record(simulator, rates, dataset), rates, dataset)
    figures = write_report(findings, output)
    return figures, (output / 'report.html').read_text()


@pytest.fixture(scope='module')
def written(tmp_path_factory) -> tuple[dict[str, Any], str]:
    return write(tmp_path_factory.mktemp('report'), 3)


def headline(text: str) -> dict[str, str]:
    return dict(re.findall('<dt>(.*?)</dt><dd>(.*?)</dd>', text))


def test_the_page_and_the_pictures_are_written(written):
    figures, text = written
    page = Path(figures['page'])
    paths = [Path(path) for path in figures['pictures'].split()]
    assert {*paths, page} == set(page.parent.iterdir())
    assert text.count('<img') == len(paths)
    assert all(cv2.imread(str(path)).std() > 0 for path in paths)


def test_at_the_top_are_mean_and_slowest_times_and_operations_per_mac(written):
    figures, text = written
    assert figures['simulated_time_s'] < figures['simulated_time_p99_s']
    tiles = headline(text)
    assert tiles['mean simulated time'] == f'{1000 * figures["simulated_time_s"]:.1f} ms'
    assert tiles['99 % decided within'] == f'{1000 * figures["simulated_time_p99_s"]:.1f} ms'
    per_mac = figures['synaptic_operations'] / figures['macs']
    assert tiles['operations per MAC'] == f'{per_mac:.2f}'


def test_the_slowest_time_of_grey_images_is_the_end_if_none_may_stop(tmp_path):
    figures, _ = write(tmp_path, 1, threshold=1.0)
    assert figures['simulated_time_p99_s'] == pytest.approx(0.05)


def test_the_accuracy_in_every_condition_is_on_the_page(written):
    figures, text = written
    accuracies = {name: each['accuracy'] for name, each in figures['damage'].items()}
    assert list(accuracies) == [str(damage) for damage in every_kind(3, 3)]
    rows = {
        'undamaged': figures['accuracy'],
        **{name[:-2].replace('_', ' '): accuracy for name, accuracy in accuracies.items()},
        f'mean of the {len(accuracies)} kinds': figures['damage_accuracy'],
    }
    for name, accuracy in rows.items():
        assert f'<td>{name}</td><td>{100 * accuracy:.1f} %</td>' in text


def test_what_a_model_does_not_know_has_a_section_if_the_model_can_tell(tmp_path, written):
    _, plain = written
    assert 'What it does not know' not in plain
    model = colour_model.with_unknown_score()
    images = np.stack([colour_model.image(label, 8, 8) for label in model.labels])
    dataset = Dataset(images, np.arange(3), model.labels)
    simulator, rates = create_simulator(model, 'reference'), create_simulator(model, 'rate')
    findings = study(record(simulator, rates, dataset), rates, dataset)
    figures = write_report(findings, tmp_path)
    text = (tmp_path / 'report.html').read_text()
    assert 'What it does not know' in text
    assert 'Of the known images, 100.0 % are accepted.' in text
    for name in ('unknown', 'accepted'):
        assert (tmp_path / f'{name}.png').stat().st_size > 1000
    assert list(figures['unknown']) == ['noise', 'textures', 'blank', 'dark']
    assert set(figures['unknown']['dark']) == {'auroc', 'fpr95', 'rejected'}
