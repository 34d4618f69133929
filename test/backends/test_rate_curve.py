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

import numpy as np
import pytest
import torch

from snn_perception.backends.rate_curve import _table, soft_rate
from snn_perception.neurons import IF, LIF, Softened

NEURON = Softened(LIF(), 0.02)


def rate_and_slope(current):
    current = current.clone().requires_grad_()
    rate = soft_rate(current, NEURON)
    rate.sum().backward()
    return rate.detach(), current.grad


def test_in_float64_rate_and_gradient_are_those_of_the_reference():
    current = torch.linspace(-100, 50, 20001, dtype=torch.float64)
    rate, slope = rate_and_slope(current)
    assert np.allclose(rate, NEURON.rate(current.numpy()), rtol=1e-6)
    assert np.allclose(slope, NEURON.rate_derivative(current.numpy()), rtol=1e-5, atol=1e-12)


def test_the_table_errs_by_less_than_a_tenth_of_a_hertz():
    current = torch.linspace(-4, 16, 100003)
    rate, slope = rate_and_slope(current)
    assert np.abs(rate.numpy() - NEURON.rate(current.double().numpy())).max() < 0.1
    assert np.abs(slope.numpy() - NEURON.rate_derivative(current.double().numpy())).max() < 0.1


def test_a_curve_that_is_hardly_softened_has_a_table_of_ordinary_size():
    straight = Softened(IF(tau_ref=0.0), 1e-9)
    current = torch.linspace(-4, 15.9, 10001)
    expected = 50 * np.maximum(current.numpy(), 0)
    assert np.abs(soft_rate(current, straight).numpy() - expected).max() < 0.1
    assert _table(straight).rates.size < 3_000_000


def test_in_bfloat16_rate_and_gradient_are_the_reference_rounded():
    current = torch.linspace(-4, 16, 5001).bfloat16()
    rate, slope = rate_and_slope(current)
    exact = current.double().numpy()
    assert torch.equal(rate, torch.from_numpy(NEURON.rate(exact)).bfloat16())
    assert torch.equal(slope, torch.from_numpy(NEURON.rate_derivative(exact)).bfloat16())


def test_beyond_the_table_the_rate_stays_at_its_ends():
    rate, slope = rate_and_slope(torch.tensor([-1000.0, 1000.0]))
    assert rate[0] < 0.5
    assert rate[1] == pytest.approx(float(NEURON.rate(16.0)), rel=1e-3)
    assert torch.isfinite(slope).all()


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize(
    'layout', [torch.contiguous_format, torch.channels_last], ids=['nchw', 'nhwc']
)
def test_dtype_and_memory_format_are_kept(dtype, layout):
    current = torch.randn(2, 3, 5, 7).to(dtype).contiguous(memory_format=layout)
    rate, slope = rate_and_slope(current)
    for tensor in (rate, slope):
        assert tensor.dtype == dtype
        assert tensor.is_contiguous(memory_format=layout)
        assert tensor.shape == current.shape
    expected = NEURON.rate(current.double().numpy())
    tolerance = {torch.bfloat16: 0.5, torch.float32: 0.1, torch.float64: 1e-3}[dtype]
    assert np.abs(rate.double().numpy() - expected).max() < tolerance


def test_permuted_and_strided_currents_are_understood():
    base = torch.randn(4, 6, 10)
    for current in (base.permute(2, 0, 1), base[:, ::2], base.expand(3, 4, 6, 10)):
        rate, _ = rate_and_slope(current)
        assert np.allclose(rate, NEURON.rate(current.double().numpy()), atol=0.1)


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16, torch.float64])
def test_what_is_no_number_stays_none_and_infinity_is_the_end_of_the_curve(dtype):
    nan, infinity = float('nan'), float('inf')
    current = torch.tensor([nan, 2.0, infinity, -infinity], dtype=dtype)
    rate = soft_rate(current, NEURON)
    assert rate.isnan().tolist() == [True, False, False, False]
    assert 0 <= float(rate[3]) < 0.3 < float(rate[1]) < float(rate[2]) <= 500
