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

"""Measuring a model in a stream of recordings."""

from __future__ import annotations

import dataclasses

import event_sides
import numpy as np
import pytest

from snn_perception.backends import create_simulator
from snn_perception.datasets import DatasetError
from snn_perception.datasets.event_set import packed
from snn_perception.evaluation.in_stream import evaluate_in_stream
from snn_perception.events.stream import Events

HEIGHT, WIDTH, _ = event_sides.SHAPE
SIDES = ('left', 'right')


def recording(side, seed, duration=60_000):
    """1,000 events at this side of the sensor within `duration` us, the last one at its end."""
    random = np.random.default_rng(seed)
    t = np.sort(random.integers(0, duration, 1000))
    t[0], t[-1] = 0, duration - 1
    x = random.integers(0, 3, 1000) + 3 * side
    y, polarity = random.integers(0, HEIGHT, 1000), random.integers(0, 2, 1000)
    return Events(
        t, x.astype(np.uint16), y.astype(np.uint16), polarity.astype(np.uint8), WIDTH, HEIGHT
    )


def stream_of(sides, **kinds):
    names = [str(number) for number in range(len(sides))]
    recordings = [recording(side, number, **kinds) for number, side in enumerate(sides)]
    return packed(recordings, np.array(sides), names, SIDES)


@pytest.fixture
def simulator():
    return create_simulator(event_sides.model(), 'event')


def test_what_a_model_can_tell_it_tells_in_a_stream(simulator):
    found = evaluate_in_stream(simulator, stream_of([0, 1] * 10))
    # Right after a change the network still remembers the other side.
    assert 0.9 < found.settled_accuracy < 1
    assert found.accuracy > 0.8
    assert found.seconds.sum() <= 20 * 0.06 + 1e-9
    assert set(found.labels) == {0, 1}


def test_an_answer_is_wrong_if_it_is_not_the_class_of_what_was_seen_last(simulator):
    sides = stream_of([0, 1] * 10)
    swapped = dataclasses.replace(sides, labels=1 - sides.labels)
    right, wrong = (evaluate_in_stream(simulator, each) for each in (sides, swapped))
    assert wrong.settled_accuracy == pytest.approx(1 - right.settled_accuracy)
    assert wrong.accuracy == pytest.approx(1 - right.accuracy)


def test_an_answer_that_saw_two_recordings_is_not_settled():
    # Never sure, so each answer takes 0.1 s.
    unsure = dataclasses.replace(event_sides.READOUT, confidence_threshold=1.0)
    model = dataclasses.replace(event_sides.model(), readout=unsure)
    simulator = create_simulator(model, 'event')
    long = evaluate_in_stream(simulator, stream_of([0, 1, 0], duration=250_000))
    assert long.is_settled.tolist() == [True, True, False, True, True, True, True]
    short = evaluate_in_stream(simulator, stream_of([0, 1, 0, 1]))
    assert not short.is_settled.any()
    assert np.isnan(short.settled_accuracy)
    assert short.summary()['stream_answers'] == 2


def test_events_that_end_before_the_first_answer_are_refused(simulator):
    with pytest.raises(DatasetError, match='the recordings end before the first answer'):
        evaluate_in_stream(simulator, stream_of([0], duration=3000))
