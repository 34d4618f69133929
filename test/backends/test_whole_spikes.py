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

"""Whole numbers of spikes in training, compared with the neurons that fire them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from snn_perception.backends.whole_spikes import Line, whole_spikes
from snn_perception.neurons import IF, LIF
from snn_perception.turns import count_spikes, thresholds

DT = 0.00025
NEURONS = LIF(0.0025, 0.0), LIF(0.0025, 0.00005), IF(0.0025, 0.0), LIF(0.001, 0.0)


@pytest.mark.parametrize('neuron', NEURONS, ids=str)
@settings(max_examples=20)
@given(
    steps=st.integers(4, 40),
    current=arrays.arrays(np.float32, st.integers(1, 50), elements=st.floats(-30, 30, width=32)),
)
def test_the_spikes_are_those_between_the_thresholds(neuron, steps, current) -> None:
    found = whole_spikes(torch.from_numpy(current), neuron, steps, DT).numpy()
    limits = thresholds(neuron, steps, DT)
    expected = count_spikes(current, limits[np.isfinite(limits)].astype(np.float32))
    assert np.array_equal(found, expected)


@pytest.mark.parametrize('neuron', NEURONS, ids=str)
def test_every_threshold_and_the_numbers_beside_it_are_counted_exactly(neuron) -> None:
    limits = thresholds(neuron, 20, DT)
    exact = limits[np.isfinite(limits)].astype(np.float32)
    below, above = (np.nextafter(exact, np.float32(end)) for end in (-np.inf, np.inf))
    for shift, values in ((0, below), (1, exact), (1, above)):
        found = whole_spikes(torch.from_numpy(values), neuron, 20, DT).numpy()
        assert np.array_equal(found, np.arange(len(exact)) + shift)


def test_in_a_long_window_the_limits_of_a_leaky_neuron_may_be_one_and_the_same() -> None:
    current = np.linspace(0.9, 3, 1000, dtype=np.float32)
    found = whole_spikes(torch.from_numpy(current), NEURONS[0], 512, DT).numpy()
    limits = thresholds(NEURONS[0], 512, DT).astype(np.float32)
    assert len(np.unique(limits)) < 512
    assert np.array_equal(found, count_spikes(current, limits))


@pytest.mark.parametrize('dtype', [torch.float64, torch.bfloat16, torch.float16])
def test_other_types_are_counted_alike(dtype) -> None:
    current = torch.linspace(-3, 12, 301).to(dtype)
    found = whole_spikes(current, NEURONS[0], 20, DT)
    assert found.dtype == dtype
    expected = whole_spikes(current.float(), NEURONS[0], 20, DT)
    assert torch.equal(found.float(), expected)


def test_a_tensor_of_any_layout_keeps_its_shape() -> None:
    current = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0)) * 5
    found = whole_spikes(current.permute(2, 0, 1), NEURONS[0], 20, DT)
    expected = whole_spikes(current, NEURONS[0], 20, DT).permute(2, 0, 1)
    assert torch.equal(found, expected)


@pytest.mark.parametrize('neuron', NEURONS, ids=str)
def test_a_line_meets_the_middle_between_thresholds_for_many_spikes(neuron) -> None:
    line = Line.of(neuron, 20, DT)
    assert line.slope > 0
    for spikes in range(12, line.steps):
        current = torch.tensor([line.slope * spikes + line.offset])
        assert float(whole_spikes(current, neuron, 20, DT)) == spikes


def test_a_window_of_a_step_is_too_short_for_a_line() -> None:
    with pytest.raises(ValueError, match='a firing_window of 1 steps is too short'):
        Line.of(NEURONS[0], 1, DT)


@pytest.mark.parametrize('neuron', NEURONS, ids=str)
def test_the_gradient_is_that_of_the_line_within_what_can_be_fired(neuron) -> None:
    line = Line.of(neuron, 20, DT)
    middle = line.slope * torch.arange(1.0, line.steps) + line.offset
    outside = torch.tensor([line.offset - line.slope, line.offset + line.slope * (line.steps + 1)])
    current = torch.cat([middle, outside]).requires_grad_()
    whole_spikes(current, neuron, 20, DT).sum().backward()
    assert torch.allclose(current.grad[:-2], torch.tensor(1 / line.slope))
    assert (current.grad[-2:] == 0).all()
