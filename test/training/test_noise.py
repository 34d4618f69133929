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

from snn_perception.training.noise import Noise

RATES = torch.tensor([5.0, 20.0, 80.0])


def samples(noise):
    torch.manual_seed(3)
    return noise.apply(RATES.repeat(200_000, 1)).double()


@pytest.mark.parametrize('type_', ['gaussian', 'spike_train'])
def test_noise_keeps_the_mean_rate(type_):
    mean = samples(Noise(type_)).mean(dim=0)
    assert np.allclose(mean, RATES, rtol=0.02)


def test_gaussian_noise_has_the_stated_deviation():
    assert np.allclose(samples(Noise('gaussian', deviation=7.0)).std(dim=0), 7, rtol=0.01)


def test_spike_train_noise_is_that_of_a_simulated_filtered_train():
    tau, tau_rc, rate, dt = 0.005, 0.02, 20.0, 0.0001
    synapse = membrane = 0.0
    trace = []
    for step in range(100_000):
        # One spike of area 1 every 1/rate seconds.
        spike = 1 / dt if step % round(1 / (rate * dt)) == 0 else 0.0
        synapse += (spike - synapse) * (1 - np.exp(-dt / tau))
        membrane += (synapse - membrane) * (1 - np.exp(-dt / tau_rc))
        trace.append(membrane)
    simulated = np.array(trace[50_000:])
    noise = samples(Noise('spike_train', tau=tau, tau_rc=tau_rc))[:, 1].numpy()
    for share in (1, 10, 50, 90, 99):
        assert np.percentile(noise, share) == pytest.approx(
            np.percentile(simulated, share), rel=0.03
        )


def test_the_gradient_passes_as_if_there_were_no_noise():
    rate = RATES.clone().requires_grad_()
    Noise('spike_train').apply(rate).sum().backward()
    assert torch.equal(rate.grad, torch.ones(3))


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_dtype_is_kept_and_silence_stays_finite(dtype):
    noisy = Noise('spike_train').apply(torch.zeros(50, dtype=dtype))
    assert noisy.dtype == dtype
    assert torch.isfinite(noisy).all()


def test_without_noise_the_rate_is_returned_itself():
    assert Noise().apply(RATES) is RATES


@pytest.mark.parametrize(
    'values', [{'type': 'pink'}, {'deviation': 0.0}, {'tau': -1.0}, {'tau': 0.02, 'tau_rc': 0.02}]
)
def test_impossible_noise_is_refused(values):
    with pytest.raises(ValueError, match='noise'):
        Noise(**values)
