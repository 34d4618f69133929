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

from pathlib import Path

import cv2
import numpy as np
import pytest

from snn_perception.datasets.sources import Picture
from snn_perception.demo.contact_sheet import save
from snn_perception.demo.scoreboard import Outcome, Scoreboard, heading, row


def outcome(true: str, label: str, energy: float = 12.3e-6) -> Outcome:
    statistics = {
        'latency_ms': '31.415',
        'network_ms': '20.0',
        'simulated_time_ms': '60.000',
        'spikes': '12345',
        'synaptic_operations': '1234567',
        'energy_loihi_j': str(energy),
    }
    return Outcome(Picture(np.zeros((28, 28), np.uint8), true, true), label, 0.987, statistics)


def test_rows_are_aligned_with_the_heading() -> None:
    line = row(7, outcome('3', '3'), 'loihi')
    assert len(line) == len(heading())
    for title, cell in (('energy', '12.3 uJ'), ('spikes', '12,345'), ('latency', '31.4 ms')):
        assert line.index(cell) + len(cell) == heading().index(title) + len(title)


def test_wrong_answer_is_marked() -> None:
    assert row(1, outcome('3', '8'), 'loihi').endswith('  wrong')
    assert 'wrong' not in row(1, outcome('3', '3'), 'loihi')


def test_outcome_is_complete_once_both_messages_are_there() -> None:
    whole = outcome('3', '3')
    assert whole.is_complete
    assert not Outcome(whole.picture, label='3').is_complete
    assert not Outcome(whole.picture, statistics=whole.statistics).is_complete


def scoreboard(*outcomes: Outcome) -> Scoreboard:
    board = Scoreboard('loihi')
    for one in outcomes:
        board.add(one)
    return board


def test_scoreboard_counts_and_averages() -> None:
    board = scoreboard(outcome('3', '3', 10e-6), outcome('4', '9', 20e-6))
    assert board.count == 2
    assert board.verdict == '1 of 2 right.'
    assert 'estimated for loihi: 15 uJ' in board.averages
    assert '12,345 spikes' in board.averages


def test_scoreboard_keeps_only_the_latest() -> None:
    board = scoreboard(*(outcome(str(number), '3') for number in range(50)))
    assert board.count == 50
    assert [one.picture.label for one in board.latest] == [str(n) for n in range(38, 50)]


@pytest.mark.parametrize('count', [1, 7, 25])
def test_contact_sheet_shows_the_outcomes_as_a_picture(tmp_path: Path, count: int) -> None:
    path = tmp_path / 'sheet.png'
    save(path, scoreboard(*[outcome('3', '3')] * count))
    picture = cv2.imread(str(path))
    assert picture is not None
    assert picture.std() > 5


def test_contact_sheet_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'missing/sheet\.png cannot be written: No such'):
        save(tmp_path / 'missing' / 'sheet.png', scoreboard(outcome('3', '3')))
