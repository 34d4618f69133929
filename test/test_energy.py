from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from random_models import random_images, random_model

from snn_perception import create_simulator, energy


@pytest.fixture(scope='module')
def decision():
    model = random_model()
    return create_simulator(model, 'reference').classify_batch(random_images(model, 1))[0]


def test_every_chip_names_its_source_and_costs_something():
    for chip in energy.CHIPS.values():
        assert chip.source
        assert chip.operation > 0


def test_energy_is_the_priced_sum_of_what_was_counted(decision):
    operations = decision.activity.synaptic_operations.sum()
    updates = decision.activity.neuron_updates.sum()
    expected = operations * 23.6e-12 + updates * 81e-12 + decision.macs * 4.6e-12
    assert energy.estimate(decision)['loihi'] == pytest.approx(expected)


def test_silence_costs_only_updates_and_the_analog_layer(decision):
    nothing = np.zeros_like(decision.activity.synaptic_operations)
    quiet = dataclasses.replace(decision.activity, synaptic_operations=nothing)
    silent = energy.estimate(dataclasses.replace(decision, activity=quiet))
    for chip, joules in energy.estimate(decision).items():
        assert 0 < silent[chip] < joules
