from __future__ import annotations

import numpy as np
import pytest

from snn_perception.reporting.calibration import reliability


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
