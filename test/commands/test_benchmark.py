"""`benchmark`: its figures are measured, and mean what they say."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from importlib import import_module

import cv2
import numpy as np
import pytest
from random_models import random_images, random_model

from snn_perception.backends import create_simulator
from snn_perception.benchmarking import measure, peers
from snn_perception.commands import benchmark
from snn_perception.model import save_model
from snn_perception.network import AveragePooling, Convolution, Dense
from snn_perception.neurons import LIF
from snn_perception.synapses import Synapse


def test_times_and_counts_are_those_of_the_decisions():
    model = random_model()
    simulator = create_simulator(model, 'event')
    images = random_images(model, 1)
    figures = measure.measure_frames(simulator, images, 5)
    (decision,) = simulator.classify_batch(images)
    assert figures['synaptic_operations'] == decision.activity.synaptic_operations.sum()
    assert figures['firing_rate_hz'] == pytest.approx(decision.firing_rate)
    assert 0 < figures['ms_per_frame_median'] <= figures['ms_per_frame_p99']
    assert figures['simulated_time_s'] == pytest.approx(model.presentation_time)
    seconds = 5 * model.presentation_time / figures['real_time_factor']
    assert 1e-3 * figures['ms_per_frame_median'] < seconds
    assert figures['synaptic_operations_per_s'] == pytest.approx(
        5 * figures['synaptic_operations'] / seconds
    )


def test_shares_of_the_layers_make_the_whole():
    model = random_model()
    simulator = create_simulator(model, 'event')
    shares = measure.share_per_layer(simulator, random_images(model, 2), 3)
    assert list(shares) == ['0 convolution', '1 convolution', '2 dense', '3 dense']
    assert sum(shares.values()) == pytest.approx(1)
    assert min(shares.values()) > 0
    assert simulator.on_layer is None


def present(simulator, image, steps):
    return simulator.run(simulator.reset(), image[None], steps).outputs.mean(axis=(0, 1))


@pytest.mark.parametrize('name', sorted(peers.PEERS))
def test_peers_run_the_same_network(name):
    pytest.importorskip(name)
    neuron = LIF(tau_ref=0.002 if name == 'nengo' else 0.0)
    layers = (
        Convolution(6, 3, padding=1),
        AveragePooling(2),
        Convolution(8, 3),
        Dense(9),
        Dense(4),
    )
    model = random_model(layers=layers, synapse=Synapse(), readout_synapse=Synapse(), drive=2)
    # Small weights: what large ones do depends on when the spikes come.
    weights = [replace(part, kernel=part.kernel / 5) for part in model.weights]
    model = replace(model, network=replace(model.network, neuron=neuron), weights=tuple(weights))
    image = random_images(model, 1)[0]
    expected = present(create_simulator(model, 'reference'), image, 300)
    expected -= model.weights[-1].bias
    settings = [()] if name == 'nengo' else peers.SETTINGS
    for setting in settings:
        outputs = peers.PEERS[name](model, *setting)(image, 300) - model.weights[-1].bias
        # Their spikes are at the ends of steps, which costs a neuron half a step per spike.
        tolerance = 0.05 if name == 'nengo' else 0.2
        assert np.abs(outputs - expected).max() < tolerance * np.abs(expected).max()


def test_the_comparison_is_of_medians_with_the_fastest_peer(monkeypatch):
    delays = {'slow': [0.02], 'fast': [0.01], 'ours': [0.002]}

    def runner(name):
        return lambda image, steps: time.sleep(delays[name][0]) or np.zeros(4)

    monkeypatch.setattr(peers, 'PEERS', {
        'slow': lambda model, *setting: runner('slow'),
        'fast': lambda model, *setting: runner('fast' if 'bfloat16' in setting else 'slow'),
        'absent': lambda model, *setting: import_module('no_such_library'),
    })  # fmt: skip
    model = random_model()
    figures = peers.compare(model, random_images(model, 2), {'ours': runner('ours')})
    assert set(figures['ms']) == {'ours', 'slow', 'fast'}
    assert figures['settings']['fast'].startswith('bfloat16')
    assert figures['ratio']['ours'] == pytest.approx(figures['ms']['fast'] / figures['ms']['ours'])
    assert 2 < figures['ratio']['ours'] < 6
    assert 'no_such_library' in figures['skipped']['absent']


@pytest.mark.parametrize('rate', measure.RATES)
def test_neurons_fire_at_the_rate_asked_for(rate):
    model = measure.at_rate(random_model(), rate)
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
    assert list(figures['ms_by_rate_hz']) == [str(rate) for rate in measure.RATES]
    assert 'ms_per_frame_median' in capsys.readouterr().out
    assert cv2.imread(str(files[1])).std() > 0


def test_what_cannot_be_measured_is_said_in_a_sentence(capsys):
    assert benchmark.main(['no_such_model']) == 1
    assert "model 'no_such_model' is not found" in capsys.readouterr().err
