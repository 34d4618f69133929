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

"""A decision ends by its deadline with the best answer so far, and says what ended it."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_models import random_images, random_model

from snn_perception import create_simulator, decision, load_model
from snn_perception.backends.reference import ReferenceSimulator
from snn_perception.image_files import read_image
from snn_perception.layers import Dense
from snn_perception.locations import share_directory
from snn_perception.pace import AFTERWARDS, FEW
from snn_perception.readout import Readout

START, TOTAL = 10, 40
READOUT = Readout(0.04, START * 0.001, 0.005, confidence_threshold=0.6, settling_time=0.002)
MODEL = dataclasses.replace(
    random_model(input_shape=(4, 4, 1), layers=(Dense(20), Dense(3)), drive=3), readout=READOUT
)
PATIENT = dataclasses.replace(MODEL, readout=Readout(0.04, START * 0.001))
IMAGES = random_images(MODEL, 4)
STEP = 0.001
"""Seconds that a step takes, unless a test says otherwise."""


class TimedEngine(ReferenceSimulator):
    """An engine with a clock of its own, on which the next runs take `seconds` a step.

    `prepares` are the seconds that it takes besides when an image is new; `ran` are the steps
    of all runs.
    """

    def __init__(self, model=MODEL, seconds=(), prepares=0.0):
        super().__init__(model, 'cpu')
        self.now, self.reads = 100.0, 0
        self.seconds, self.prepares = iter(seconds), prepares
        self.ran = []

    def perf_counter(self):
        self.reads += 1
        return self.now

    def run(self, state, images, steps):
        self.now += steps * next(self.seconds, STEP) + self.prepares * (state.steps == 0)
        self.ran.append(steps)
        return super().run(state, images, steps)

    def decide(self, within=None, inputs=IMAGES[:1], **options):
        """Decisions within so many seconds on this engine's clock."""
        deadline = None if within is None else self.now + within
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(decision, 'time', SimpleNamespace(perf_counter=self.perf_counter))
            return self.classify_batch(inputs, deadline=deadline, **options)


def steps_of(answer):
    return round(answer.simulated_time / MODEL.dt)


def assert_same(ours, theirs):
    """Both decisions are the same, but for what ended them."""
    assert ours.label == theirs.label
    assert ours.simulated_time == theirs.simulated_time
    np.testing.assert_array_equal(ours.scores, theirs.scores)
    for name in ('spikes', 'synaptic_operations', 'neuron_updates'):
        counts = getattr(ours.activity, name), getattr(theirs.activity, name)
        np.testing.assert_array_equal(*counts)


budgets = st.floats(-0.01, 0.08)
paces = st.lists(st.floats(0.0001, 0.01), max_size=60)


@given(budgets, paces, st.integers(0, 3))
def test_an_answer_by_a_deadline_is_that_of_a_presentation_of_its_steps(budget, seconds, image):
    inputs = IMAGES[image : image + 1]
    (answer,) = TimedEngine(seconds=seconds).decide(budget, inputs)
    simulator = create_simulator(MODEL, 'reference')
    (other,) = simulator.classify_batch(inputs, simulator.reset(), answer.simulated_time)
    assert_same(answer, other)
    if steps_of(answer) > START:
        (other,) = simulator.classify_batch(inputs, None, answer.simulated_time)
        assert_same(answer, other)


@pytest.mark.parametrize('backend', ['event', 'reference'])
@pytest.mark.parametrize('threshold', [0.6, 1.0])
def test_a_deadline_far_away_changes_nothing(backend, threshold):
    readout = dataclasses.replace(READOUT, confidence_threshold=threshold)
    simulator = create_simulator(dataclasses.replace(MODEL, readout=readout), backend)
    without = simulator.classify_batch(IMAGES)
    for deadline in (decision.time.perf_counter() + 1000, np.inf):
        answers = simulator.classify_batch(IMAGES, deadline=deadline)
        for ours, theirs in zip(answers, without, strict=True):
            assert_same(ours, theirs)
            assert ours.stopped_by == theirs.stopped_by


@given(budgets, paces, st.integers(1, 4))
def test_what_stopped_a_decision_agrees_with_its_time_and_score(budget, seconds, count):
    engine = TimedEngine(seconds=seconds)
    for answer in engine.decide(budget, IMAGES[:count]):
        if answer.stopped_by == 'confidence':
            assert steps_of(answer) < TOTAL
            assert answer.score >= READOUT.confidence_threshold
        elif answer.stopped_by == 'time':
            assert steps_of(answer) == TOTAL
        else:
            assert answer.stopped_by == 'deadline'
            assert steps_of(answer) < TOTAL
            assert steps_of(answer) == sum(engine.ran)


@given(st.floats(1.01 * (STEP + AFTERWARDS), 0.039))
def test_at_a_known_pace_the_answer_comes_in_time_and_not_a_step_too_early(budget):
    engine = TimedEngine(PATIENT)
    engine.decide(0.05)
    end = engine.now + budget
    (answer,) = engine.decide(budget)
    assert answer.stopped_by == 'deadline'
    assert end - STEP - AFTERWARDS - 1e-9 < engine.now <= end


def test_the_first_decision_begins_with_single_steps_as_nothing_is_known():
    engine = TimedEngine()
    engine.decide(0.05)
    assert engine.ran[:2] == [1, 1]
    assert max(engine.ran) > 1


@pytest.mark.parametrize('known', [False, True])
def test_a_deadline_in_the_past_gives_the_answer_after_one_step(known):
    engine = TimedEngine()
    if known:
        engine.decide(0.05)
    (answer,) = engine.decide(-1.0)
    assert (steps_of(answer), answer.stopped_by) == (1, 'deadline')


def test_the_first_step_is_made_though_it_may_be_late_and_the_second_is_not():
    engine = TimedEngine()
    engine.decide(0.05)
    (answer,) = engine.decide(0.5 * STEP)
    assert steps_of(answer) == 1


@pytest.mark.parametrize('held_up', range(6))
def test_a_run_that_was_held_up_once_spoils_no_later_decision(held_up):
    """As when a graph is recorded for the first time, or another program has its turn."""
    engine = TimedEngine(PATIENT, [STEP] * held_up + [5.0])
    for _ in range(3):
        (answer,) = engine.decide(0.02)
    assert steps_of(answer) == 19


def test_after_a_busy_time_decisions_get_their_steps_back():
    engine = TimedEngine(PATIENT, [0.05] * 30, prepares=0.004)
    while len(engine.ran) < 30:
        (answer,) = engine.decide(0.02)
        assert steps_of(answer) <= 2
    for _ in range(20):
        (answer,) = engine.decide(0.02)
    # 16 ms are left after the preparation, for steps of 1 ms.
    assert steps_of(answer) == 15


def test_the_preparation_of_an_image_is_no_reason_to_stop_at_once():
    engine = TimedEngine(PATIENT, prepares=0.01)
    for _ in range(2):
        (answer,) = engine.decide(0.018)
    assert steps_of(answer) == 8


def test_a_long_first_run_tells_the_pace_of_the_next():
    """Or a machine that has become slow would be late again and again."""
    engine = TimedEngine(PATIENT)
    for _ in range(4):
        engine.decide(0.021)
    engine.seconds = iter([10 * STEP] * 100)
    late = []
    for _ in range(8):
        end = engine.now + 0.021
        engine.decide(0.021)
        late.append(engine.now > end)
    assert late[0]
    assert not any(late[-4:])


def test_batches_of_different_sizes_have_paces_of_their_own():
    engine = TimedEngine(PATIENT, [0.1] * 3)
    engine.decide(0.35, IMAGES)
    assert engine.ran == [1, 1, 1]
    engine.decide(0.02)
    (alone,) = engine.decide(0.02)
    assert steps_of(alone) == 19


def test_long_runs_are_cut_so_that_a_slow_one_can_be_made_up_for():
    model = dataclasses.replace(MODEL, readout=Readout(0.04))
    engine = TimedEngine(model)
    for _ in range(2):
        engine.decide(0.05)
    del engine.ran[:]
    engine.decide(0.021)
    assert engine.ran[0] == 10
    assert engine.ran[-1] <= FEW


def test_without_a_deadline_nobody_looks_at_the_clock():
    engine = TimedEngine()
    engine.decide()
    assert engine.reads == 0
    assert engine.ran[:2] == [START, 5]


def test_a_stream_goes_on_from_where_a_deadline_left_it():
    engine = TimedEngine(PATIENT)
    state = engine.reset()
    (first,) = engine.decide(0.02, state=state)
    assert first.stopped_by == 'deadline'
    (second,) = engine.decide(state=state, presentation_time=0.015)
    whole = engine.run(engine.reset(), IMAGES[:1], steps_of(first) + 15)
    counted = first.activity.spikes + second.activity.spikes
    np.testing.assert_array_equal(counted, whole.spikes[0])
    assert state.steps == steps_of(first) + steps_of(second)


@pytest.mark.parametrize('label', ['7', '3', '0'])
def test_what_is_said_before_spikes_have_crossed_the_network_is_said_with_doubt(label):
    simulator = create_simulator(load_model('mnist'), 'reference')
    image = read_image(share_directory() / 'resource' / 'images' / 'digits' / label / '01.png')
    for milliseconds in (5, 10, 15, 20):
        answer = simulator.classify(image, simulator.reset(), milliseconds / 1000)
        assert answer.score < 0.5
    assert simulator.classify(image).score > 0.9
    assert simulator.classify(image).label == label
