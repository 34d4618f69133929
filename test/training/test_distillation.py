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

"""What a converted network learns: the parts of the loss, and images made of two."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from analogs import STAGE, coloured_images, inputs, random_analog, tiny_conversion
from hypothesis import given
from hypothesis import strategies as st

from snn_perception.backends import create_simulator
from snn_perception.datasets import Dataset
from snn_perception.images import Preprocessing
from snn_perception.model import Model
from snn_perception.readout import Readout
from snn_perception.training import precision
from snn_perception.training.augmentation import Augmentation
from snn_perception.training.conversion_network import network_of
from snn_perception.training.converted import ConvertedNetwork
from snn_perception.training.data import Split
from snn_perception.training.distillation import (
    Imitation,
    mixed,
    operations_per_mac,
    relative_error,
)
from snn_perception.training.fitting import fit


@pytest.fixture
def original() -> ConvertedNetwork:
    analog, conversion = random_analog(), tiny_conversion()
    network, weights = network_of(conversion, analog)
    return ConvertedNetwork(network, weights, analog.ceilings, conversion.dt)


@pytest.fixture
def fitted(original) -> ConvertedNetwork:
    network = copy.deepcopy(original)
    fit(network, torch.from_numpy(inputs(random_analog(), 64)), 8)
    return network.in_mode('spikes')


@pytest.fixture
def objective(original):
    """Makes an imitation of the original with some weights of the parts of its loss."""
    images = coloured_images(40)
    dataset = Dataset(images.images, np.zeros(40, np.int64), ('any',))
    split = Split(dataset, dataset, Preprocessing((8, 8, 3), (0.4,), (0.25,)))
    stage = tiny_conversion(spikes=STAGE).spikes

    def make(**changes) -> Imitation:
        chosen = precision.choose('float32', 'cpu')
        own = replace(stage, **{**dict.fromkeys(PARTS, 0.0), **changes})
        return Imitation(copy.deepcopy(original), own, Augmentation(), split, chosen, 0)

    return make


PARTS = 'answers', 'outputs', 'activations', 'operations'
BATCH = torch.arange(16)


@pytest.mark.parametrize('part', PARTS[:3])
def test_nothing_is_left_to_learn_for_the_original_itself(objective, original, part) -> None:
    imitation = objective(**{part: 1.0})
    network = original.in_mode('activations')
    assert abs(float(imitation.loss(0, 0, network, BATCH, 0))) < 1e-5


@pytest.mark.parametrize('part', PARTS[:3])
def test_a_network_that_is_off_has_a_loss_and_a_gradient(objective, fitted, part) -> None:
    loss = objective(**{part: 1.0}).loss(0, 0, fitted, BATCH, 0)
    loss.backward()
    assert float(loss) > 1e-4
    assert fitted.layers[0].weight(0).grad.abs().sum() > 0


def test_operations_cost_what_they_exceed_their_target_by(objective, fitted) -> None:
    free = objective(operations=2.0, operations_target=1000.0)
    assert float(free.loss(0, 0, fitted, BATCH, 0)) == 0
    losses = [
        float(objective(operations=2.0, operations_target=target).loss(0, 0, fitted, BATCH, 0))
        for target in (0.0, 0.25)
    ]
    assert losses[0] - losses[1] == pytest.approx(0.5, abs=1e-5)


def test_operations_are_those_that_an_engine_counts(fitted) -> None:
    images = inputs(random_analog())
    with torch.no_grad():
        _, spikes = fitted.watch(torch.from_numpy(images))
    time = fitted.network.synaptic_delay
    model = Model(
        'converted',
        tuple('abcd'),
        fitted.network,
        fitted.fold(),
        Preprocessing((8, 8, 3)),
        Readout(time, time - fitted.dt, time),
        fitted.dt,
    )
    engine = create_simulator(model, 'event')
    activity = engine.run(engine.reset(len(images)), images, round(time / fitted.dt))
    counted = activity.synaptic_operations.sum() / len(images) / fitted.network.macs
    # Training takes all places of a map for the same, though padding makes those at borders cheap.
    assert float(operations_per_mac(fitted, spikes)) == pytest.approx(counted, rel=0.1)


def test_validation_counts_the_answers_that_are_the_same(objective, original, fitted) -> None:
    imitation = objective()
    same, rates = imitation.validate(original.in_mode('activations'), BATCH)
    assert (same, len(rates)) == (16, 4)
    same, _ = imitation.validate(fitted, BATCH)
    images = imitation.data.normalise(imitation.data.validation.batch(BATCH)[0])
    with torch.no_grad():
        wanted, _ = original.in_mode('activations').watch(images)
        found, _ = fitted.watch(images)
    assert same == int((wanted.argmax(1) == found.argmax(1)).sum())


@given(factor=st.floats(0.01, 100), error=st.floats(0, 2))
def test_an_error_is_a_share_whatever_the_units(factor: float, error: float) -> None:
    wanted = torch.randn(50, generator=torch.Generator().manual_seed(0)) * factor
    found = relative_error(wanted * (1 + error), wanted)
    assert float(found) == pytest.approx(error**2, rel=1e-3, abs=1e-6)


def test_an_error_is_a_number_where_the_original_is_silent() -> None:
    silent = torch.zeros(2, 3)
    assert relative_error(silent, silent) == 0
    assert torch.isfinite(relative_error(silent + 1, silent))


@given(seed=st.integers(0, 1000), height=st.integers(2, 9), width=st.integers(2, 9))
def test_mixed_images_have_a_quarter_of_the_one_before(seed, height, width) -> None:
    images = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 3, height, width)
    found = mixed(images, 1.0, torch.Generator().manual_seed(seed))
    for number in range(4):
        taken = found[number] == (number - 1) % 4
        assert int(taken.sum()) == 3 * (height // 2) * (width // 2)
        assert (found[number][~taken] == number).all()


def test_images_are_mixed_in_their_share_of_batches_alone() -> None:
    images = torch.arange(2.0).view(2, 1, 1, 1).expand(2, 1, 4, 4)
    generator = torch.Generator().manual_seed(0)
    changed = sum(not torch.equal(mixed(images, 0.25, generator), images) for _ in range(400))
    assert 70 <= changed <= 130
