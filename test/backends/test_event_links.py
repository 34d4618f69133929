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

"""Weights and windows of the sparse engine's links."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from random_models import random_model

from snn_perception.backends.event_layout import arrange
from snn_perception.backends.event_links import PRECISIONS, quantise
from snn_perception.backends.event_memory import OFFSETS
from snn_perception.backends.event_sums import BIAS, LANES
from snn_perception.layers import AveragePooling, Convolution, Dense, Identity, Sum


def rows(seed, lanes=48, blocks=2, count=50):
    return np.random.default_rng(seed).normal(0, 0.1, (blocks, count, lanes)).astype(np.float32)


def unpacked(words, shape):
    """The int8 weights in words, as `event_sums` describes them."""
    words, parts = words.reshape(*shape[:2], -1), []
    for first in range(0, words.shape[2], LANES):
        pair = words[..., first : first + LANES]
        parts += [(pair & 0xFF) - BIAS, pair >> 8]
    return np.concatenate(parts, axis=2)


@given(seed=st.integers(0, 10_000))
def test_bfloat16_is_rounded_to_the_nearest(seed):
    values, scales = quantise(rows(seed), 'bfloat16')
    expected = torch.from_numpy(rows(seed)).bfloat16().view(torch.uint16).numpy()
    assert np.array_equal(values, expected.reshape(-1))
    assert (scales == 1).all()


@given(seed=st.integers(0, 10_000), lanes=st.sampled_from([16, 32, 48, 64]))
def test_int8_errs_by_half_a_step_of_its_channel_at_most(seed, lanes):
    exact = rows(seed, lanes)
    words, scales = quantise(exact, 'int8')
    values, scales = unpacked(words, exact.shape), scales.reshape(2, 1, lanes)
    assert (np.abs(values).max(axis=1) == 127).all()
    assert (np.abs(values * scales - exact) <= 0.5001 * scales).all()


@pytest.mark.parametrize('precision', PRECISIONS)
def test_weights_that_are_zero_stay_zero(precision):
    zeros = np.zeros((1, 3, 16), np.float32)
    values, scales = quantise(zeros, precision)
    assert not (unpacked(values, zeros.shape) if precision == 'int8' else values).any()
    assert np.isfinite(scales).all()


@pytest.mark.parametrize(('precision', 'size'), PRECISIONS.items())
def test_a_depthwise_spike_costs_a_kernel_of_its_channel_and_not_rows_of_all_channels(
    precision, size
):
    layers = (Convolution(96, 3), Convolution(96, 3, groups=96), Convolution(96, 1), Dense(3))
    network, _ = arrange(random_model(layers=layers), precision)
    depthwise, pointwise, _ = network.links
    entry = network.populations[1]
    assert entry['list_end'] == entry['link']  # none of its links adds rows
    assert depthwise['units'] * 8 == OFFSETS * 4  # float32, one for each channel of a block
    assert pointwise['units'] * 8 == 48 * size


def test_a_pooling_becomes_part_of_a_depthwise_kernel():
    layers = (
        Convolution(4, 3, name='stem'),
        Sum(((AveragePooling((2, 3)), Convolution(4, 2, 2, (1, 0), groups=4)),)),
        Dense(3),
    )
    network, _ = arrange(random_model(layers=layers), 'float32')
    link = network.links[0]
    assert (link['pool_rows'], link['pool_columns']) == (1, 1)
    assert (link['rows'], link['columns']) == (4, 6)
    assert (link['down'], link['across'], link['top'], link['left']) == (4, 6, 2, 0)
    # Of the 9 x 8 pixels of the stem, the pooling drops the last row and the last two columns.
    assert (link['height'], link['width']) == (8, 6)


def test_links_through_rows_come_before_channelwise_ones():
    both = Sum((Identity(0.1), Convolution(5, 1)))
    network, _ = arrange(random_model(layers=(Convolution(5, 3), both, Dense(3))), 'float32')
    entry = network.populations[1]
    assert entry['link_end'] - entry['link'] == 2
    assert entry['list_end'] - entry['link'] == 1
    assert network.links[entry['link']]['channels'] == 16
