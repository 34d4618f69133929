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

from snn_perception.online.cosines import RaisedCosines


def test_bumps_peak_in_order_from_the_first_step_to_the_last_and_sum_to_one_in_between():
    values = RaisedCosines(4, 30).values
    assert values.shape == (4, 30)
    np.testing.assert_allclose(values.sum(axis=0), 1)
    peaks = values.argmax(axis=1)
    assert peaks[0] == 0
    assert peaks[-1] == 29
    # The remote past is blurred: peaks move apart.
    assert np.all(np.diff(peaks, 2) >= 0)


def test_a_single_bump_falls_from_one_and_has_not_ended_before_its_length():
    (values,) = RaisedCosines(1, 10).values
    assert values[0] == 1
    assert np.all(np.diff(values) < 0)
    assert values[-1] > 0


@pytest.mark.parametrize(
    ('values', 'sentence'),
    [
        ((1, 0), 'length of kernels must be from 1 to 1000, not 0'),
        ((1, 1001), 'length of kernels must be from 1 to 1000'),
        ((3, 2), 'count of kernels must be from 1 to their length 2, not 3'),
        ((1, 2, 0.0), 'stretch of kernels must be above 0'),
        ((1, 2, float('nan')), 'stretch of kernels must be above 0'),
    ],
)
def test_kernels_out_of_range_are_refused(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        RaisedCosines(*values)
