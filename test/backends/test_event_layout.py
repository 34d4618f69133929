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

"""A model in the memory of the sparse engine."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from random_models import random_model

from snn_perception.backends.event_layout import (
    CACHE_LINE,
    PRECISIONS,
    _quantise,
    aligned_zeros,
    arrange,
)
from snn_perception.layers import Convolution, Dense


def rows(seed, blocks=2, count=50, lanes=16):
    return np.random.default_rng(seed).normal(0, 0.1, (blocks, count, lanes)).astype(np.float32)


@given(seed=st.integers(0, 10_000))
def test_bfloat16_is_rounded_to_the_nearest(seed):
    values, scales = _quantise(rows(seed), 'bfloat16')
    expected = torch.from_numpy(rows(seed)).bfloat16().view(torch.uint16).numpy()
    assert np.array_equal(values, expected.reshape(-1))
    assert (scales == 1).all()


@given(seed=st.integers(0, 10_000))
def test_int8_errs_by_half_a_step_of_its_channel_at_most(seed):
    exact = rows(seed)
    values, scales = _quantise(exact, 'int8')
    values = values.reshape(exact.shape)
    assert (np.abs(values).max(axis=1) == 127).all()
    error = np.abs(values * scales.reshape(2, 1, 16) - exact)
    assert (error <= 0.5001 * scales.reshape(2, 1, 16)).all()


@pytest.mark.parametrize('precision', PRECISIONS)
def test_weights_that_are_zero_stay_zero(precision):
    values, scales = _quantise(np.zeros((1, 3, 16), np.float32), precision)
    assert not values.any()
    assert np.isfinite(scales).all()


@pytest.mark.parametrize('size', [1, 63, 1000])
def test_memory_begins_with_a_line_of_the_cache(size):
    for _ in range(5):
        memory = aligned_zeros(size)
        assert memory.shape == (size,)
        assert memory.ctypes.data % CACHE_LINE == 0
        assert not memory.any()


@pytest.mark.parametrize(
    ('channels', 'lanes', 'blocks'), [(10, 16, 1), (24, 32, 1), (48, 64, 1), (96, 64, 2)]
)
def test_channels_are_padded_to_the_cheapest_blocks(channels, lanes, blocks):
    layers = (Convolution(channels, 3), Dense(3))
    plan = arrange(random_model(layers=layers), 'float32').plan
    assert (plan[0]['lanes'], plan[0]['blocks']) == (lanes, blocks)
