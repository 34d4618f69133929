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

"""Lost frames, as the rhythm of the stamps tells them."""

from __future__ import annotations

import random

import pytest

from snn_perception.nodes.frames.rhythm import FEWEST, Rhythm

SECOND = 1_000_000_000


def lost(stamps: list[float]) -> int:
    """How many frames are missing among those stamped so, in s."""
    rhythm = Rhythm()
    return sum(rhythm.note(round(stamp * SECOND)) for stamp in stamps)


@pytest.mark.parametrize('jitter', [0.0, 0.1, 0.2])
@pytest.mark.parametrize('rate', [0.5, 5, 30, 200])
def test_steady_camera_loses_nothing(rate: float, jitter: float) -> None:
    chance = random.Random(0)
    assert lost([(n + jitter * chance.uniform(-1, 1)) / rate for n in range(1, 200)]) == 0


@pytest.mark.parametrize('share', [0.02, 0.2, 0.5])
def test_frames_that_are_missing_are_counted(share: float) -> None:
    chance = random.Random(1)
    sent = [1 + n / 30 for n in range(2000)]
    arrived = [stamp for stamp in sent if chance.random() > share]
    assert lost(arrived) == pytest.approx(len(sent) - len(arrived), rel=0.1)


def test_rhythm_is_learnt_anew_when_a_camera_becomes_slower() -> None:
    fast = [n / 30 for n in range(1, 100)]
    slow = [fast[-1] + n / 5 for n in range(1, 100)]
    assert lost(fast + slow) < 33 * 6
    assert lost(slow[32:]) == 0


def test_nothing_is_missing_before_there_is_a_rhythm_nor_after_a_pause_or_a_jump_back() -> None:
    first = [float(n * n) / 100 for n in range(1, FEWEST)]
    assert lost(first) == 0
    steady = [n / 10 for n in range(1, 100)]
    assert lost([*steady, *(stamp + 3600 for stamp in steady)]) == 0
    assert lost(steady + steady) == 0
    assert lost([0.0] * 50) == 0
