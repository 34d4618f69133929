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
from colour_model import LABELS, build, image, with_unknown_score
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from snn_perception import create_simulator
from snn_perception.datasets import Dataset
from snn_perception.evaluation.accuracy import evaluate
from snn_perception.evaluation.unfamiliar import (
    auroc,
    false_positive_rate,
    look_at,
    look_at_made,
    operating_characteristic,
)

scores = arrays(np.float64, st.integers(1, 12), elements=st.integers(-3, 3).map(float))


@given(scores, scores)
def test_the_auroc_is_how_often_the_unknown_one_of_a_pair_is_stranger(known, unknown):
    pairs = (unknown[:, None] > known).mean() + (unknown[:, None] == known).mean() / 2
    assert auroc(known, unknown) == pytest.approx(pairs)
    assert auroc(unknown, known) == pytest.approx(1 - pairs)


@given(scores, scores)
def test_the_auroc_is_the_area_below_the_curve(known, unknown):
    accepted, recalled = operating_characteristic(known, unknown)
    area = ((recalled[1:] + recalled[:-1]) / 2 * np.diff(accepted)).sum()
    assert area == pytest.approx(auroc(known, unknown))


@given(scores, scores)
def test_false_positives_are_counted_where_enough_of_the_known_are_accepted(known, unknown):
    accepted, recalled = operating_characteristic(known, unknown)
    first = np.flatnonzero(recalled >= 0.95 - 1e-12)[0]
    assert false_positive_rate(known, unknown) == pytest.approx(accepted[first])


def known_colours() -> Dataset:
    return Dataset(np.stack([image(label, 8, 8) for label in LABELS]), np.arange(3), LABELS)


def test_a_model_that_can_tell_rejects_what_is_of_no_class():
    simulator = create_simulator(with_unknown_score(), 'reference')
    known = evaluate(simulator, None, known_colours())
    two = np.full((2, 8, 8, 3), (0, 255, 255), np.uint8)
    (mixed,) = look_at(simulator, known, {'two colours': Dataset.of_no_class(two)})
    assert (mixed.kind, mixed.auroc, mixed.fpr95, mixed.rejected) == ('two colours', 1, 0, 1)
    assert [each.kind for each in look_at_made(simulator, known)] == [
        *('noise', 'textures', 'blank', 'dark')
    ]


def test_a_model_that_cannot_tell_says_so():
    simulator = create_simulator(build(), 'reference')
    known = evaluate(simulator, None, known_colours())
    assert look_at_made(simulator, known) == []
    dark = Dataset.of_no_class(np.zeros((1, 8, 8, 3), np.uint8))
    with pytest.raises(ValueError, match='model colours has no score of being unknown'):
        look_at(simulator, known, {'dark': dark})
