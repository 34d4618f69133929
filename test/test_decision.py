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

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_models import random_images, random_model

from snn_perception.backends import create_simulator
from snn_perception.decision import Interrupted
from snn_perception.layers import Convolution, Dense
from snn_perception.readout import Readout
from snn_perception.record import Record


def test_a_decision_is_what_the_mean_output_after_the_start_says():
    readout = Readout(0.06, start_time=0.02, temperature=2.0)
    model = dataclasses.replace(random_model(), readout=readout)
    simulator = create_simulator(model, 'reference')
    inputs = random_images(model, 3)
    outputs = simulator.run(simulator.reset(3), inputs, 60).outputs
    for image, decision in enumerate(simulator.classify_batch(inputs)):
        evidence = outputs[20:, image].astype(float).mean(axis=0) / 2.0
        odds = np.exp(evidence - evidence[0])
        assert decision.scores == pytest.approx(odds / odds.sum(), rel=1e-4)
        assert decision.score == max(decision.scores)
        assert decision.label == 'abc'[np.argsort(evidence)[-1]]
        assert decision.simulated_time == pytest.approx(0.06)


def test_a_decision_counts_what_the_network_did_for_it():
    layers = (Convolution(4, 1), Dense(7), Dense(3))
    model = dataclasses.replace(random_model(layers=layers), readout=Readout(0.05))
    simulator = create_simulator(model, 'reference')
    inputs = random_images(model, 1)
    spikes = simulator.run(simulator.reset(), inputs, 50).spikes[0]
    (decision,) = simulator.classify_batch(inputs)
    assert list(decision.activity.spikes) == list(spikes)
    assert list(decision.activity.synaptic_operations) == [0, spikes[0] * 7, spikes[1] * 3]
    # 11 x 10 pixels of 3 channels, each to 4 neurons.
    assert decision.macs == 11 * 10 * 3 * 4
    assert decision.neurons == 11 * 10 * 4 + 7
    assert decision.firing_rate == pytest.approx(spikes.sum() / 447 / 0.05)


def test_a_confident_decision_stops_early_and_costs_less():
    model = random_model()
    inputs = random_images(model, 4)
    patient = create_simulator(model, 'torch').classify_batch(inputs)
    readout = dataclasses.replace(model.readout, confidence_threshold=0.34)
    hasty_model = dataclasses.replace(model, readout=readout)
    hasty = create_simulator(hasty_model, 'torch').classify_batch(inputs)
    for early, late in zip(hasty, patient, strict=True):
        assert early.simulated_time == pytest.approx(readout.decision_interval)
        assert early.activity.spikes.sum() < late.activity.spikes.sum()


def test_a_threshold_of_one_never_stops_early_however_sure_the_scores():
    model = random_model()
    readout = dataclasses.replace(model.readout, temperature=1e-6)
    sure = dataclasses.replace(model, readout=readout)
    (decision,) = create_simulator(sure, 'torch').classify_batch(random_images(model, 1))
    assert decision.score == 1
    assert decision.simulated_time == pytest.approx(readout.presentation_time)


def test_each_image_of_a_batch_stops_for_itself():
    model = random_model()
    inputs = random_images(model, 8)
    simulator = create_simulator(model, 'torch')
    scores = [d.score for d in simulator.classify_batch(inputs, presentation_time=0.01)]
    readout = dataclasses.replace(model.readout, confidence_threshold=float(np.median(scores)))
    mixed = dataclasses.replace(model, readout=readout)
    batch = create_simulator(mixed, 'torch').classify_batch(inputs)
    assert len({decision.simulated_time for decision in batch}) > 1
    for index, decision in enumerate(batch):
        (alone,) = create_simulator(mixed, 'torch').classify_batch(inputs[index : index + 1])
        assert decision.simulated_time == alone.simulated_time
        assert np.array_equal(decision.activity.spikes, alone.activity.spikes)


def test_a_stream_goes_on_where_it_was():
    model = random_model()
    simulator = create_simulator(model, 'torch')
    image = np.full((11, 10, 3), 200, np.uint8)
    state = simulator.reset()
    first = simulator.classify(image, state=state)
    second = simulator.classify(image, state=state)
    fresh = simulator.classify(image)
    assert np.array_equal(first.activity.spikes, fresh.activity.spikes)
    assert not np.array_equal(second.activity.spikes, fresh.activity.spikes)


def test_a_classification_can_be_given_up():
    simulator = create_simulator(random_model(), 'torch')
    answers = iter([False, True])
    image = np.zeros((11, 10, 3), np.uint8)
    with pytest.raises(Interrupted):
        simulator.classify(image, presentation_time=1.0, stop=lambda: next(answers))


def scores_of(outputs):
    """The softmax of the mean of `outputs` (steps, classes)."""
    odds = np.exp(outputs.astype(float).mean(axis=0))
    return pytest.approx(odds / odds.sum(), rel=1e-4)


@pytest.mark.parametrize('backend', ['reference', 'event', 'torch'])
def test_a_presentation_too_short_for_any_evidence_is_refused_with_the_shortest_one(backend):
    model = dataclasses.replace(random_model(), readout=Readout(0.06, start_time=0.03))
    simulator, inputs = create_simulator(model, backend), random_images(model, 1)
    for too_short in (0.01, 0.03, 0.0304):
        with pytest.raises(ValueError, match=r'presentation_time must be at least 0\.031 s'):
            simulator.classify_batch(inputs, presentation_time=too_short)
    assert model.shortest_presentation_time == pytest.approx(0.031)
    (shortest,) = simulator.classify_batch(
        inputs, presentation_time=model.shortest_presentation_time
    )
    assert shortest.simulated_time == pytest.approx(0.031)
    outputs = simulator.run(simulator.reset(), inputs, 31).outputs[:, 0]
    assert shortest.scores == scores_of(outputs[30:])


@given(st.floats(0.001, 0.1), st.floats(0, 0.1), st.sampled_from([0.0005, 0.001, 0.0025, 0.02]))
def test_the_shortest_presentation_time_is_the_shortest_that_is_accepted(time, start, dt):
    if start >= time:
        return
    model = dataclasses.replace(random_model(dt=dt), readout=Readout(time, start_time=start))
    shortest = model.schedule(model.shortest_presentation_time)
    assert shortest.total == shortest.discarded + 1 <= model.schedule().total
    if shortest.total > 1:
        with pytest.raises(ValueError, match='presentation_time must be at least'):
            model.schedule(model.shortest_presentation_time - dt)


def test_the_first_frame_of_a_stream_waits_for_the_start_as_any_image_does():
    model = dataclasses.replace(random_model(), readout=Readout(0.06, start_time=0.03))
    simulator, inputs = create_simulator(model, 'reference'), random_images(model, 1)
    (alone,) = simulator.classify_batch(inputs)
    (first,) = simulator.classify_batch(inputs, simulator.reset())
    assert np.array_equal(first.scores, alone.scores)
    outputs = simulator.run(simulator.reset(), inputs, 60).outputs[:, 0]
    state = simulator.reset()
    simulator.classify_batch(inputs, state, presentation_time=0.02)
    (second,) = simulator.classify_batch(inputs, state, presentation_time=0.02)
    assert second.scores == scores_of(outputs[30:40])


def test_frames_shorter_than_the_start_have_answers_that_rest_on_the_last_output():
    model = dataclasses.replace(random_model(), readout=Readout(0.06, start_time=0.03))
    simulator, inputs = create_simulator(model, 'reference'), random_images(model, 1)
    outputs = simulator.run(simulator.reset(), inputs, 20).outputs[:, 0]
    state = simulator.reset()
    for end in (10, 20):
        (frame,) = simulator.classify_batch(inputs, state, presentation_time=0.01)
        assert frame.label == 'abc'[outputs[end - 1].argmax()]
        assert frame.simulated_time == pytest.approx(0.01)
        # 31 - end steps are missing before the last one.
        assert frame.scores == scores_of(outputs[end - 1 : end] / (1 + 31 - end))


def test_in_a_stream_every_output_is_evidence():
    model = dataclasses.replace(random_model(), readout=Readout(0.06, start_time=0.03))
    simulator, inputs = create_simulator(model, 'reference'), random_images(random_model(), 1)
    outputs = simulator.run(simulator.reset(), inputs, 80).outputs[:, 0]
    state = simulator.reset()
    simulator.classify_batch(inputs, state, presentation_time=0.04)
    (decision,) = simulator.classify_batch(inputs, state, presentation_time=0.04)
    assert decision.scores == scores_of(outputs[40:])


def test_nothing_runs_on_once_every_image_is_decided(monkeypatch):
    readout = Readout(0.05, decision_interval=0.01, confidence_threshold=0.34)
    model = dataclasses.replace(random_model(), readout=readout)
    simulator, ran = create_simulator(model, 'reference'), []
    run = simulator.run
    monkeypatch.setattr(simulator, 'run', lambda *given: ran.append(given[2]) or run(*given))
    simulator.classify_batch(random_images(model, 2))
    assert ran == [10]


def test_a_record_holds_the_spikes_of_the_layers_over_time():
    readout = Readout(0.06, 0.02, decision_interval=0.005, confidence_threshold=0.6)
    model = dataclasses.replace(random_model(), readout=readout)
    simulator, inputs = create_simulator(model, 'event'), random_images(model, 1)
    (unwatched,) = simulator.classify_batch(inputs)
    for interval, longest in ((1, 1), (3, 3), (5, 5), (100, 20)):
        record = Record(interval)
        (decision,) = simulator.classify_batch(inputs, record=record)
        assert np.diff(record.steps, prepend=0).max() == longest
        assert record.steps[-1] * model.dt == pytest.approx(decision.simulated_time)
        np.testing.assert_array_equal(record.spikes.sum(axis=0)[0], decision.activity.spikes)
        np.testing.assert_array_equal(decision.scores, unwatched.scores)
        np.testing.assert_array_equal(decision.activity.spikes, unwatched.activity.spikes)


def test_a_record_of_a_batch_tells_the_images_apart():
    model = random_model()
    simulator, inputs = create_simulator(model, 'reference'), random_images(model, 3)
    batch, alone = Record(10), Record(10)
    simulator.classify_batch(inputs, record=batch)
    simulator.classify_batch(inputs[1:2], record=alone)
    assert batch.spikes.shape == (5, 3, len(model.network.populations))
    np.testing.assert_array_equal(batch.steps, [10, 20, 30, 40, 50])
    np.testing.assert_array_equal(batch.spikes[:, 1], alone.spikes[:, 0])


def test_a_record_that_nobody_filled_is_empty():
    assert len(Record().steps) == len(Record().spikes) == 0
