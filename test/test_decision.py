from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from random_models import random_images, random_model

from snn_perception.backends import create_simulator
from snn_perception.decision import Interrupted


def test_a_decision_names_the_class_with_the_best_score_and_its_cost():
    model = random_model()
    image = np.full((20, 20, 3), 128, np.uint8)
    decision = create_simulator(model, 'torch').classify(image)
    assert decision.label == model.labels[int(decision.scores.argmax())]
    assert decision.score == decision.scores.max()
    assert decision.scores.sum() == pytest.approx(1, abs=1e-5)
    assert decision.simulated_time == pytest.approx(model.presentation_time)
    assert decision.macs == model.network.stages[0].macs
    rate = decision.activity.spikes.sum() / model.network.neurons / decision.simulated_time
    assert decision.firing_rate == pytest.approx(rate)


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
