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

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snn_perception.readout import Readout, Schedule


@given(st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=10), st.floats(0.01, 100))
def test_scores_sum_to_one_and_keep_the_order(evidence, temperature):
    scores = Readout(0.1, temperature=temperature).scores(np.array(evidence), 0.05)
    assert scores.sum() == pytest.approx(1, abs=1e-5)
    assert scores[int(np.argmax(evidence))] == scores.max()


@given(st.floats(0, 0.02), st.floats(0.001, 0.1), st.floats(1.1, 10))
def test_little_evidence_is_less_certain(settling_time, duration, longer):
    readout = Readout(0.1, temperature=0.5, settling_time=settling_time)
    evidence = np.array([[0.3, -0.2, 1.0]])
    early, late = readout.scores(evidence.repeat(2, axis=0), [duration, longer * duration])
    assert early.max() <= late.max()
    # As if the mean had begun with a time without evidence.
    mean = evidence[0] * duration / (duration + settling_time)
    expected = Readout(0.1, temperature=0.5).scores(mean, duration)
    np.testing.assert_allclose(early, expected, rtol=1e-5)


@given(st.floats(0, 0.02), st.floats(0.001, 0.1), st.floats(0, 0.05), st.floats(0, 0.05))
def test_the_earlier_before_the_start_the_less_certain(settling_time, duration, missing, more):
    readout = Readout(0.1, temperature=0.5, settling_time=settling_time)
    evidence = np.array([0.3, -0.2, 5.0])
    on_time = readout.scores(evidence, duration)
    late, early = (readout.scores(evidence, duration, time) for time in (missing, missing + more))
    assert early.max() <= late.max() <= on_time.max()
    assert early.argmax() == on_time.argmax()
    np.testing.assert_array_equal(readout.scores(evidence, duration, 0.0), on_time)


@given(st.floats(0.001, 0.5), st.floats(0, 0.5), st.floats(0.001, 0.1))
def test_the_chunks_of_a_schedule_are_the_whole_presentation(time, start, interval):
    if start >= time:
        return
    readout = Readout(time, start, interval, confidence_threshold=0.9)
    schedule = Schedule.of(readout, 0.001)
    chunks = schedule.chunks()
    assert sum(chunks) == schedule.total == max(round(time / 0.001), 1)
    assert all(chunk > 0 for chunk in chunks)
    assert schedule.discarded in (0, chunks[0])
    assert schedule.discarded < schedule.total
    checks = [end for end in np.cumsum(chunks) if end > schedule.discarded]
    assert checks == [step for step in range(schedule.total + 1) if schedule.may_decide(step)]


@given(st.floats(0.001, 0.5), st.integers(0, 600))
def test_a_schedule_goes_on_with_what_was_shown_before(time, shown):
    readout = Readout(0.6, start_time=0.3)
    schedule = Schedule.of(readout, 0.001, time, shown)
    assert sum(schedule.chunks()) == schedule.total == max(round(time / 0.001), 1)
    assert schedule.discarded == max(300 - shown, 0)


def test_what_cannot_stop_early_runs_in_few_chunks():
    assert Schedule.of(Readout(0.06, 0.02), 0.001).chunks() == [20, 40]
    assert max(Schedule.of(Readout(5.0), 0.001).chunks()) == 100


@pytest.mark.parametrize(
    'values',
    [
        {'presentation_time': 0},
        {'presentation_time': 100},
        {'presentation_time': 0.1, 'start_time': 0.1},
        {'presentation_time': 0.1, 'temperature': 0},
        {'presentation_time': 0.1, 'settling_time': -0.001},
        {'presentation_time': 0.1, 'decision_interval': float('nan')},
        {'presentation_time': 0.1, 'confidence_threshold': 1.1},
    ],
)
def test_impossible_readouts_are_refused(values):
    with pytest.raises(ValueError, match=list(values)[-1]):
        Readout(**values)
