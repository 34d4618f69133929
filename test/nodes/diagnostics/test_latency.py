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

"""Which latencies are believed."""

from __future__ import annotations

import math

import pytest

from snn_perception.nodes.diagnostics.latency import LONGEST, latency

SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND


@pytest.mark.parametrize('seconds', [0.0, 0.02, 5.0, LONGEST])
def test_latency_is_the_time_since_the_stamp(seconds: float) -> None:
    assert latency(NOW - round(seconds * SECOND), NOW) == (pytest.approx(seconds), '')


@pytest.mark.parametrize(
    ('stamp', 'now', 'doubt'),
    [
        (0, NOW, 'the frames have no stamps'),
        (NOW - 90 * 86_400 * SECOND, NOW, 'the stamps are 90 days behind the clock'),
        (NOW - 61 * SECOND, NOW, 'the stamps are 61 s behind the clock'),
        (12 * SECOND, NOW, 'days behind the clock'),
        (-5 * SECOND, NOW, 'days behind the clock'),
        (NOW + SECOND // 4, NOW, 'the stamps are 0.25 s ahead of the clock'),
        (NOW, 0, 'days ahead of the clock'),
    ],
)
def test_latency_of_a_stamp_of_another_clock_is_unknown(stamp: int, now: int, doubt: str) -> None:
    result = latency(stamp, now)
    assert math.isnan(result.seconds)
    assert doubt in result.doubt
    assert ('use_sim_time' in result.doubt) == (stamp != 0)
