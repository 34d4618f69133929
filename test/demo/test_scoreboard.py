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

"""What the demo prints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from snn_perception.datasets.sources import Picture
from snn_perception.demo.contact_sheet import save
from snn_perception.demo.scoreboard import Outcome, Scoreboard, heading, row


def outcome(true: str, *labels: str, energy: float = 12.3e-6) -> Outcome:
    statistics = {
        'latency_ms': '31.415',
        'network_ms': '20.0',
        'simulated_time_ms': '60.000',
        'spikes': '12345',
        'synaptic_operations': '1234567',
        'energy_loihi_j': str(energy),
    }
    hypotheses = tuple(zip(labels, (0.987, 0.012, 0.001), strict=False))
    return Outcome(Picture(np.zeros((28, 28), np.uint8), true, true), hypotheses, statistics)


def test_rows_are_aligned_with_the_heading() -> None:
    line = row(7, outcome('3', '3'), 'loihi')
    assert len(line) == len(heading())
    for title, cell in (('energy', '12.3 uJ'), ('spikes', '12,345'), ('latency', '31.4 ms')):
        assert line.index(cell) + len(cell) == heading().index(title) + len(title)


def test_a_label_of_unknown_is_shown_in_place_of_the_best_hypothesis() -> None:
    rejected = outcome('3', '8')
    rejected.statistics['label'] = 'unknown'
    assert '  unknown  ' in row(1, rejected, 'loihi')


def test_wrong_answer_is_marked() -> None:
    assert row(1, outcome('3', '8'), 'loihi').endswith('  wrong')
    assert 'wrong' not in row(1, outcome('3', '3'), 'loihi')


@pytest.mark.parametrize('folder', ['tabby', 'tabby cat', 'tabby, tabby cat'])
def test_answer_is_right_by_any_of_the_names_that_a_label_lists(folder: str) -> None:
    assert outcome(folder, 'tabby, tabby cat').is_right
    assert not outcome(folder, 'tiger cat').is_right
    assert not outcome('cat', 'tabby, tabby cat').is_right


def test_row_shows_the_first_of_the_names_and_stays_aligned() -> None:
    wool = 'soft-coated wheaten terrier'
    line = row(7, outcome(wool, 'tabby, tabby cat'), 'loihi').removesuffix('  wrong')
    assert line.split()[:4] == ['7', 'soft-coated', 'whea…', 'tabby']
    assert len(line) == len(heading())


def test_outcome_is_complete_once_both_messages_are_there() -> None:
    whole = outcome('3', '3')
    assert whole.is_complete
    assert not Outcome(whole.picture, whole.hypotheses).is_complete
    assert not Outcome(whole.picture, statistics=whole.statistics).is_complete


def scoreboard(*outcomes: Outcome) -> Scoreboard:
    board = Scoreboard('loihi')
    for one in outcomes:
        board.add(one)
    return board


def test_scoreboard_counts_and_averages() -> None:
    board = scoreboard(outcome('3', '3', energy=10e-6), outcome('4', '9', energy=20e-6))
    assert board.count == 2
    assert board.verdict == '1 of 2 right.'
    assert 'estimated for loihi: 15 uJ' in board.averages
    assert '12,345 spikes' in board.averages


def test_scoreboard_keeps_only_the_latest() -> None:
    board = scoreboard(*(outcome(str(number), '3') for number in range(50)))
    assert board.count == 50
    assert [one.picture.label for one in board.latest] == [str(n) for n in range(38, 50)]


def sheet(path: Path, *outcomes: Outcome) -> np.ndarray:
    """The pixels of the contact sheet of `outcomes`."""
    save(path / 'sheet.png', scoreboard(*outcomes))
    picture = cv2.imread(str(path / 'sheet.png'))
    assert picture is not None
    return picture


@pytest.mark.parametrize('count', [1, 7, 25])
def test_contact_sheet_shows_the_outcomes_as_a_picture(tmp_path: Path, count: int) -> None:
    assert sheet(tmp_path, *[outcome('3', '3', '8', '9')] * count).std() > 5


@pytest.mark.parametrize('shape', [(480, 640, 3), (28, 28), (640, 320), (100, 500, 3)])
def test_contact_sheet_has_the_whole_of_every_picture(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    one = outcome('3', '3')
    bright = replace(one, picture=Picture(np.full(shape, 255, np.uint8), '', '3'))
    dark = replace(one, picture=Picture(np.zeros(shape, np.uint8), '', '3'))
    differs = np.argwhere((sheet(tmp_path, bright) != sheet(tmp_path, dark)).any(axis=2))
    height, width = np.ptp(differs, axis=0) + 1
    assert height * width == len(differs)
    assert width / height == pytest.approx(shape[1] / shape[0], rel=0.03)


def test_contact_sheet_marks_the_true_class_among_the_best(tmp_path: Path) -> None:
    def greens(*labels: str) -> int:
        blue, green, red = np.moveaxis(sheet(tmp_path, outcome('3', *labels)).astype(int), 2, 0)
        return int(((green > red + 30) & (green > blue + 15)).sum())

    assert greens('3', '8', '9') > greens('8', '3', '9') > greens('8', '9', '4') == 0


def test_contact_sheet_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'missing/sheet\.png cannot be written: No such'):
        save(tmp_path / 'missing' / 'sheet.png', scoreboard(outcome('3', '3')))
