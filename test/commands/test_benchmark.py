"""`benchmark`: its figures are measured, and mean what they say."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from random_models import random_images, random_model

from snn_perception import benchmarking
from snn_perception.backends import create_simulator
from snn_perception.commands import benchmark
from snn_perception.model import save_model


def test_times_and_counts_are_those_of_the_decisions():
    model = random_model()
    simulator = create_simulator(model, 'event')
    images = random_images(model, 1)
    figures = benchmarking.measure_frames(simulator, images, 5)
    (decision,) = simulator.classify_batch(images)
    assert figures['synaptic_operations'] == decision.activity.synaptic_operations.sum()
    assert figures['firing_rate_hz'] == pytest.approx(decision.firing_rate)
    assert 0 < figures['ms_per_frame_median'] <= figures['ms_per_frame_p99']
    assert figures['simulated_time_s'] == pytest.approx(model.presentation_time)


@pytest.mark.parametrize('rate', benchmarking.RATES)
def test_neurons_fire_at_the_rate_asked_for(rate):
    model = benchmarking.at_rate(random_model(), rate)
    simulator = create_simulator(model, 'event')
    activity = simulator.run(simulator.reset(1), random_images(model, 1), 2000)
    assert activity.spikes.sum() / model.network.neurons / 2 == pytest.approx(rate, rel=0.07)


def test_the_command_prints_writes_and_draws_its_figures(tmp_path, capsys):
    save_model(random_model(), tmp_path / 'model')
    files = tmp_path / 'figures.json', tmp_path / 'scaling.png'
    arguments = [str(tmp_path / 'model'), '--backend', 'event', '--frames', '2', '--data']
    pictures = tmp_path / 'pictures'
    for label in 'abc':
        (pictures / label).mkdir(parents=True)
        cv2.imwrite(str(pictures / label / '1.png'), np.full((11, 10, 3), 90, np.uint8))
    arguments += [str(pictures), '--json', str(files[0]), '--picture', str(files[1])]
    assert benchmark.main(arguments) == 0
    figures = json.loads(files[0].read_text())
    for key in ('ms_per_frame_median', 'ms_per_frame_p99', 'real_time_factor', 'memory_mb'):
        assert figures[key] > 0
    assert 0 < figures['warm_start_s'] < figures['cold_start_s']
    assert figures['engine'] == 'event on cpu'
    assert list(figures['ms_by_rate_hz']) == [str(rate) for rate in benchmarking.RATES]
    assert 'ms_per_frame_median' in capsys.readouterr().out
    assert cv2.imread(str(files[1])).std() > 0


def test_what_cannot_be_measured_is_said_in_a_sentence(capsys):
    assert benchmark.main(['no_such_model']) == 1
    assert "model 'no_such_model' is not found" in capsys.readouterr().err
