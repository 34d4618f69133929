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

"""What follows from what was counted: the worst is said, and nothing hides it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from snn_perception.nodes.diagnostics.verdict import Counts, Level, Limits, Period, Source, judge

TOPIC = '/image_raw'
ONE = Source(TOPIC, 1)
NONE = Source(TOPIC, 0)
DEAF = Source(TOPIC, 2, 'whose publishers offer incompatible QoS', is_deaf=True)
HALF_DEAF = Source(TOPIC, 2, 'where some offer incompatible QoS')
TWO = Source(TOPIC, 2)

WELL = Period(seconds=1.0, counts=Counts(received=5, classified=5))
SILENT = Period(seconds=1.0, counts=Counts(), silence=5.0)
HANGING = Period(seconds=1.0, counts=Counts(received=5), delay=8.0, is_busy=True)


def with_counts(**counts: float) -> Period:
    return Period(1.0, Counts(**counts), last_error='step is 0 bytes')


@pytest.mark.parametrize(
    ('period', 'source', 'level', 'sentence'),
    [
        (WELL, ONE, Level.OK, 'classifying the frames on /image_raw'),
        (replace(WELL, doubt='why'), ONE, Level.OK, 'their latency is unknown: why'),
        (replace(WELL, silence=1.9), ONE, Level.OK, 'classifying'),
        (SILENT, ONE, Level.STALE, 'no frame for 5 s on /image_raw, which has 1 publisher'),
        (SILENT, ONE, Level.STALE, 'for large frames see "Frames that get lost" in the README'),
        (WELL, HALF_DEAF, Level.WARN, 'not all frames on /image_raw, where some offer'),
        (replace(WELL, pictures='almost black'), ONE, Level.WARN, 'are almost black'),
        (with_counts(restarts=1), ONE, Level.OK, 'classifying'),
        (with_counts(restarts=1), TWO, Level.WARN, '2 publishers, whose stamps do not fit'),
        (with_counts(received=90, lost=10), ONE, Level.OK, 'classifying'),
        (with_counts(received=90, lost=11), ONE, Level.WARN, '11 of 101 frames were lost'),
        (with_counts(received=10, dropped=1), ONE, Level.OK, 'classifying'),
        (with_counts(received=9, dropped=1), ONE, Level.WARN, 'behind: 1 of 9 frames dropped'),
        (replace(WELL, latency=1.0), ONE, Level.OK, 'classifying'),
        (replace(WELL, latency=1.5), ONE, Level.WARN, 'answers come 1.50 s after their frames'),
        (replace(WELL, latency=1.5, limits=Limits(latency=2.0)), ONE, Level.OK, 'classifying'),
        (replace(SILENT, limits=Limits(silence=9.0)), ONE, Level.OK, 'classifying'),
        (replace(HANGING, limits=Limits(delay=9.0)), ONE, Level.OK, 'classifying'),
        (replace(SILENT, pictures='almost black'), ONE, Level.STALE, 'no frame for 5 s'),
        (SILENT, NONE, Level.STALE, 'which has no publishers'),
        (SILENT, DEAF, Level.STALE, 'no frame for 5 s on /image_raw, whose publishers offer'),
        (replace(SILENT, silence=1.0), DEAF, Level.WARN, 'no frames on /image_raw, whose'),
        (with_counts(failed=1), ONE, Level.ERROR, '1 frame failed: step is 0 bytes'),
        (with_counts(rejected=2), ONE, Level.ERROR, '2 frames rejected: step is 0 bytes'),
        (with_counts(rejected=2, classified=1), ONE, Level.WARN, '2 frames rejected'),
        (replace(with_counts(skipped=0.5), skipped=1.5), ONE, Level.WARN, ': 1.50 s of it were'),
        (replace(WELL, skipped=1.5, is_skipping=True), ONE, Level.WARN, ': 1.50 s of it were'),
        (replace(WELL, skipped=1.5), ONE, Level.OK, 'classifying'),
        (
            HANGING,
            ONE,
            Level.ERROR,
            'nothing classified for 8 s: the engine is still busy with one frame',
        ),
        (replace(HANGING, is_busy=False), ONE, Level.ERROR, 'frames wait and none is taken up'),
        (replace(HANGING, delay=4.9), ONE, Level.OK, 'classifying'),
        (replace(HANGING, usual=3.0), ONE, Level.OK, 'classifying'),
        (replace(HANGING, usual=2.0), ONE, Level.ERROR, 'nothing classified for 8 s'),
        (replace(HANGING, silence=8.0), NONE, Level.ERROR, 'nothing classified for 8 s'),
    ],
)
def test_verdict(period: Period, source: Source, level: Level, sentence: str) -> None:
    found, message = judge(period, source)
    assert found is level
    assert sentence in message


def test_counts_since_are_differences() -> None:
    now, before = Counts(received=5, skipped=0.75), Counts(received=3, skipped=0.5)
    assert now.since(before) == Counts(received=2, skipped=0.25)
