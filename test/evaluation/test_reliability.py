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

from snn_perception.evaluation.reliability import BINS, calibration_of_checks, reliability

# Confidences from 0 to 1, on borders of bins more often than chance has it, and right or wrong.
CONFIDENCES = st.floats(0, 1) | st.integers(0, BINS).map(lambda border: border / BINS)
DECISIONS = st.lists(st.tuples(CONFIDENCES, st.booleans()), min_size=1, max_size=40)


def test_right_as_often_as_said_is_no_error():
    bins = reliability([0.75] * 4 + [0.5] * 2, [True, True, True, False, True, False])
    assert bins.expected_calibration_error == pytest.approx(0)


def test_too_much_confidence_is_the_gap():
    assert reliability([0.9] * 10, [True] * 6 + [False] * 4).expected_calibration_error == (
        pytest.approx(0.3)
    )


def test_too_little_confidence_is_an_error_too():
    assert reliability([0.6] * 4, [True] * 4).expected_calibration_error == pytest.approx(0.4)


def test_bins_weigh_as_much_as_they_hold():
    # Three with a gap of 0.9, one of 0.2, in two bins.
    bins = reliability([0.9, 0.9, 0.9, 0.2], [False] * 4)
    assert bins.expected_calibration_error == pytest.approx((3 * 0.9 + 0.2) / 4)


def test_errors_in_one_bin_cancel_and_those_in_two_do_not():
    one = reliability([0.8, 0.6], [False, True], bins=1)
    assert one.expected_calibration_error == pytest.approx(0.2)
    two = reliability([0.8, 0.6], [False, True], bins=10)
    assert two.expected_calibration_error == pytest.approx((0.8 + 0.4) / 2)


def test_borders_belong_to_the_lower_bin():
    bins = reliability([0.0, 0.25, 0.26, 0.5, 1.0], [True] * 5, bins=4)
    np.testing.assert_array_equal(bins.counts, [2, 2, 0, 1])
    np.testing.assert_allclose(bins.confidence, [0.125, 0.38, np.nan, 1.0])


def test_fifteen_bins_unless_asked_otherwise():
    assert len(reliability([0.5], [True]).counts) == BINS == 15


@pytest.mark.parametrize('border', range(1, BINS + 1))
def test_no_rounding_moves_a_border(border):
    assert reliability([border / BINS], [True]).counts[border - 1] == 1
    if border < BINS:
        assert reliability([np.nextafter(border / BINS, 1)], [True]).counts[border] == 1


@given(DECISIONS)
def test_the_error_is_what_the_paper_defines(decisions):
    expected = 0.0
    for index in range(BINS):
        low, high = index / BINS, (index + 1) / BINS
        inside = [pair for pair in decisions if low < pair[0] <= high or pair[0] == low == 0]
        if inside:
            gap = np.mean([right for _, right in inside]) - np.mean([score for score, _ in inside])
            expected += len(inside) / len(decisions) * abs(gap)
    error = reliability(*zip(*decisions, strict=True)).expected_calibration_error
    assert error == pytest.approx(expected, abs=1e-12)


@given(DECISIONS)
def test_the_error_is_at_least_that_of_one_bin_and_at_most_one(decisions):
    confidences, right = map(np.array, zip(*decisions, strict=True))
    error = reliability(confidences, right).expected_calibration_error
    assert abs(confidences.mean() - right.mean()) - 1e-12 <= error <= 1


@given(DECISIONS, st.randoms())
def test_the_order_of_the_decisions_does_not_matter(decisions, random):
    error = reliability(*zip(*decisions, strict=True)).expected_calibration_error
    random.shuffle(decisions)
    again = reliability(*zip(*decisions, strict=True)).expected_calibration_error
    assert again == pytest.approx(error, abs=1e-12)


def test_looks_are_judged_one_by_one():
    # Two images of class 0 at two checks: half right with 0.75 and 0.65, then right with 0.5.
    scores = np.array([[[0.75, 0.25], [0.5, 0.5]], [[0.35, 0.65], [0.5, 0.5]]], np.float32)
    checks = calibration_of_checks(scores, np.array([0, 0]))
    np.testing.assert_allclose(checks.accuracy, [0.5, 1.0])
    np.testing.assert_allclose(checks.confidence, [0.7, 0.5])
    np.testing.assert_allclose(checks.error, [(0.25 + 0.65) / 2, 0.5])
