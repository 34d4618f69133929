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

"""An image and its mirror image, shown at once to neurons of their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from engines import EVERY_ENGINE
from random_models import random_images, random_model

from snn_perception.backends import create_simulator
from snn_perception.readout import Readout

MODEL = random_model()
BOTH = replace(MODEL, readout=replace(MODEL.readout, mirror=True))
COUNTS = ('spikes', 'synaptic_operations', 'neuron_updates')


def run(model, backend, images, steps=40):
    simulator = create_simulator(model, backend)
    return simulator.run(simulator.reset(len(images)), images, steps)


@pytest.mark.parametrize('backend', EVERY_ENGINE)
def test_outputs_are_the_mean_and_counts_the_sum_of_both_views(backend):
    images = random_images(MODEL, 3)
    found = run(BOTH, backend, images)
    as_it_is = run(MODEL, backend, images)
    mirrored = run(MODEL, backend, np.ascontiguousarray(images[:, :, ::-1]))
    mean = (as_it_is.outputs + mirrored.outputs) / 2
    assert np.allclose(found.outputs, mean, atol=1e-4)
    for name in COUNTS:
        one, other = getattr(as_it_is, name), getattr(mirrored, name)
        assert np.array_equal(getattr(found, name), one + other)


def test_the_state_of_both_views_is_carried_on():
    images = random_images(MODEL, 2)
    simulator = create_simulator(BOTH, 'event')
    state = simulator.reset(2)
    parts = [simulator.run(state, images, 10) for _ in range(4)]
    whole = run(BOTH, 'event', images)
    assert np.array_equal(whole.outputs, np.concatenate([part.outputs for part in parts]))
    assert np.array_equal(whole.spikes, sum(part.spikes for part in parts))


def test_a_decision_counts_the_first_layer_of_both_views_and_the_rate_of_a_neuron():
    image = np.random.default_rng(0).integers(0, 256, (11, 10, 3)).astype(np.uint8)
    symmetric = np.concatenate([image[:, :5], image[:, 4::-1]], axis=1)
    one, both = (create_simulator(model, 'event').classify(symmetric) for model in (MODEL, BOTH))
    assert both.macs == 2 * one.macs
    assert both.activity.spikes.sum() == 2 * one.activity.spikes.sum()
    assert both.firing_rate == pytest.approx(one.firing_rate)
    assert both.scores == pytest.approx(one.scores, abs=1e-5)


def test_the_order_of_the_views_does_not_matter_to_the_decision():
    images = random_images(MODEL, 4)
    simulator = create_simulator(BOTH, 'event')
    ours = simulator.classify_batch(images)
    theirs = simulator.classify_batch(np.ascontiguousarray(images[:, :, ::-1]))
    for one, other in zip(ours, theirs, strict=True):
        assert one.scores == pytest.approx(other.scores, abs=1e-4)


def test_a_readout_has_one_view_or_two():
    assert Readout(0.05).views == 1
    assert Readout(0.05, mirror=True).views == 2
