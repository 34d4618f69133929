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

"""Engines with models whose layers take turns, compared with the reference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from random_models import WINDOW, turn_taking_model

from snn_perception.backends import create_simulator
from snn_perception.backends.reference import ReferenceSimulator
from snn_perception.backends.torch import TorchSimulator
from snn_perception.loading import load_model
from snn_perception.model import Model, ModelError
from snn_perception.model_folder import save_model
from snn_perception.neurons import IF, LIF
from snn_perception.readout import Readout

DT = 0.00025
NEURONS = LIF(0.0025, 0.0), IF(0.0025, 0.0), LIF(0.0025, 0.0005)


def images_for(model: Model, count: int = 2) -> np.ndarray:
    return np.random.default_rng(1).random((count, *model.network.input_shape), np.float32)


@pytest.mark.parametrize('seed', range(6))
def test_torch_agrees_with_the_reference_spike_for_spike(seed: int) -> None:
    model = turn_taking_model(seed, NEURONS[seed % 3])
    images, steps = images_for(model), round(model.presentation_time / DT) + 3
    reference, engine = ReferenceSimulator(model), TorchSimulator(model, 'cpu', dtype=_float64())
    expected = reference.run(reference.reset(2), images, steps)
    state = engine.reset(2)
    parts = [engine.run(state, images, each) for each in (7, 1, 33, steps - 41)]
    assert np.array_equal(expected.counts, sum(part.counts for part in parts))
    outputs = np.concatenate([part.outputs for part in parts])
    assert np.array_equal(expected.outputs, outputs)
    assert expected.spikes[:, :-1].all()


def test_neurons_are_updated_in_their_turn_only() -> None:
    model = turn_taking_model(0)
    engine = ReferenceSimulator(model)
    activity = engine.run(
        engine.reset(), images_for(model, 1), round(model.presentation_time / DT)
    )
    neurons = [population.neurons for population in model.network.populations]
    assert activity.neuron_updates[0].tolist() == [20 * count for count in neurons]


def test_longer_windows_bring_spikes_closer_to_rates() -> None:
    model = turn_taking_model(3)
    images, errors = images_for(model), []
    for factor in (1, 8):
        window = factor * WINDOW
        network = replace(model.network, firing_window=window)
        time = network.turns[-1] * window
        longer = replace(model, network=network, readout=Readout(time, time - DT))
        spiking, rates = (create_simulator(longer, name, 'cpu') for name in ('torch', 'rate'))
        outputs = spiking.run(spiking.reset(2), images, round(time / DT)).outputs[-1]
        difference = outputs - rates.run(rates.reset(2), images, 1).outputs[0]
        errors.append(np.abs(difference).mean())
    assert errors[1] < errors[0] / 3


def test_a_model_is_saved_with_its_window(tmp_path: Path) -> None:
    model = turn_taking_model(0)
    save_model(model, tmp_path / 'model')
    assert load_model(str(tmp_path / 'model')).network == model.network


def test_evidence_from_before_the_last_turn_is_refused() -> None:
    model = turn_taking_model(0)
    time = model.presentation_time
    with pytest.raises(ModelError, match=r'not all layers of .* have had their turn'):
        replace(model, readout=Readout(time, time - 2 * DT))
    with pytest.raises(ModelError, match='firing_window must be a multiple of dt'):
        replace(model, dt=0.00015)


@pytest.mark.parametrize('backend', ['nengo', 'loihi'])
def test_engines_that_know_no_turns_say_so(backend: str) -> None:
    pytest.importorskip('nengo_loihi' if backend == 'loihi' else 'nengo')
    with pytest.raises(ValueError, match=f'backend {backend} runs no network whose layers take'):
        create_simulator(turn_taking_model(0), backend)


def _float64():  # type: ignore[no-untyped-def]
    import torch

    return torch.float64
