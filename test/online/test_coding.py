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

from snn_perception.events.stream import Events
from snn_perception.online.coding import OFF, ON, SILENT, Coding, by_rate

GENERATOR = np.random.default_rng(0)


def recording(*events, width=6):
    """Events (microseconds, column, row, polarity) of a sensor of `width` x 4."""
    return Events.of(*np.array(events, np.int64).reshape(-1, 4).T, width, 4)


def coding(kind='polarity', **changes):
    """Two squares beside each other in the middle of a sensor of 6 x 4, three steps of 10 ms."""
    values = {'sensor': (6, 4), 'shape': (1, 2), 'pool': 2, 'steps': 3, 'dt': 0.01, 'kind': kind}
    return Coding(**values | changes)


EVENTS = recording(
    (500, 1, 1, 1), (1000, 2, 2, 1), (2000, 1, 2, 0),  # The first square: more on than off.
    (10500, 3, 1, 0),  # The second square, the second step.
    (20499, 1, 1, 1), (20500, 2, 1, 0), (20600, 1, 1, 0),  # The last step begins between them.
    (20700, 0, 1, 1), (20700, 5, 1, 1), (20700, 2, 0, 1), (20700, 2, 3, 1),  # Beside the squares.
    (40000, 1, 1, 1),  # After the last step.
)  # fmt: skip


def test_a_circuit_says_whichever_polarity_its_square_has_more_of_in_a_step():
    said = coding().encode(EVENTS, GENERATOR)
    np.testing.assert_array_equal(said, [[ON, SILENT], [ON, OFF], [OFF, SILENT]])


def test_without_polarity_a_circuit_says_that_there_was_something():
    said = coding('binary').encode(EVENTS, GENERATOR)
    np.testing.assert_array_equal(said, [[1, 0], [1, 1], [1, 0]])


def test_as_many_events_of_both_kinds_are_on():
    said = coding().encode(recording((0, 1, 1, 0), (1, 1, 1, 1)), GENERATOR)
    assert said[0, 0] == ON


def test_rates_are_kept_and_times_are_not():
    symbols = np.zeros((30, 2000), np.int16)
    symbols[:10], symbols[10:13] = 1, 2
    drawn = by_rate(symbols, np.random.default_rng(0))
    for symbol, rate in ((1, 1 / 3), (2, 0.1)):
        assert (drawn == symbol).mean() == pytest.approx(rate, abs=0.01)
        np.testing.assert_allclose((drawn == symbol).mean(axis=1), rate, atol=0.05)


def test_a_rate_of_nothing_is_silence():
    assert not coding('rate').encode(recording(), GENERATOR).any()
    assert coding('binary_rate').symbols == 1


def test_events_of_another_sensor_are_refused():
    with pytest.raises(ValueError, match='events of a sensor of 7 x 4 pixels are not for a model'):
        coding().encode(recording((0, 6, 1, 1), width=7), GENERATOR)


@pytest.mark.parametrize(
    ('changes', 'sentence'),
    [
        (
            {'kind': 'morse'},
            "must be one of polarity, binary, rate, binary_rate, not 'morse'",
        ),
        ({'steps': 0}, 'steps must be from 1 to 100000'),
        ({'dt': float('nan')}, 'dt must be at least a microsecond'),
        ({'pool': 0}, 'sensor, shape and pool must be at least 1'),
        ({'pool': 4}, '2 x 1 squares of 4 pixels do not fit on a sensor of 6 x 4'),
    ],
)
def test_codings_that_cannot_be_are_refused(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        coding(**changes)
