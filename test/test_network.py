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
from hypothesis import given
from hypothesis import strategies as st

from snn_perception.layers import AveragePooling, Convolution, Dense
from snn_perception.network import Network


@given(
    size=st.integers(1, 12),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 4),
    padding=st.integers(0, 3),
)
def test_shapes_and_fan_out_of_a_convolution_equal_those_of_pytorch(size, kernel, stride, padding):
    if size + 2 * padding < kernel:
        return
    layer = Convolution(2, kernel, stride, padding)
    image = torch.zeros(1, 1, size, size + 1, requires_grad=True)
    output = torch.nn.functional.conv2d(
        image, torch.ones(2, 1, kernel, kernel), stride=stride, padding=padding
    )
    height, width, channels = layer.output_shape((size, size + 1, 1))
    assert (channels, height, width) == tuple(output.shape[1:])
    # The gradient of a sum of ones counts how many outputs each input reaches.
    output.sum().backward()
    assert np.array_equal(layer.fan_out((size, size + 1, 1)), image.grad[0, 0].numpy())


def test_counts_of_a_known_network():
    network = Network(
        (4, 4, 1), (Convolution(2, 3, padding=1), AveragePooling(2), Dense(5), Dense(3))
    )
    first, second, third = network.populations
    assert [stage.output_shape for stage in network.populations] == [
        (4, 4, 2),
        (1, 1, 5),
        (1, 1, 3),
    ]
    # Of the 3x3 windows of 16 pixels: 4 corners see 4 pixels, 8 edges 6, 4 inner ones 9.
    assert first.macs == (4 * 4 + 8 * 6 + 4 * 9) * 2
    assert second.macs == 2 * 2 * 2 * 5
    assert third.macs == 15
    assert network.neurons == 32 + 5
    assert network.synapses == second.macs + third.macs
    assert network.macs == first.macs + network.synapses


def test_a_spike_that_pooling_cuts_off_causes_no_operations():
    network = Network((5, 5, 1), (Convolution(1, 1), AveragePooling(2), Dense(7)))
    (connection,) = network.populations[1].connections
    fan_out = connection.fan_out
    assert fan_out.shape == (5, 5)
    assert np.all(fan_out[:4, :4] == 7)
    assert np.all(fan_out[4] == 0)
    assert np.all(fan_out[:, 4] == 0)


@pytest.mark.parametrize(
    ('layers', 'message'),
    [
        ((), 'last layer'),
        ((Convolution(2, 3),), 'last layer'),
        ((AveragePooling(2), Dense(2)), 'first layer'),
        ((Convolution(2, 9), Dense(2)), 'layer 0 .* has no output left'),
        ((Convolution(2, 3), AveragePooling(9), Dense(2)), 'layer 1 .* has no output left'),
        ((Convolution(60000, 3, padding=1), Convolution(60000, 3), Dense(2)), 'weights are more'),
    ],
)
def test_layers_that_do_not_fit_are_refused(layers, message):
    with pytest.raises(ValueError, match=message):
        Network((8, 8, 1), layers)


def test_absurd_sizes_are_refused():
    with pytest.raises(ValueError, match='neurons are more'):
        Network((60000, 60000, 1), (Convolution(1, 1), Dense(2)))
    with pytest.raises(ValueError, match='height, width and channels'):
        Network((0, 8, 1), (Dense(2),))


@pytest.mark.parametrize(
    'make',
    [
        lambda: Convolution(0, 3),
        lambda: Convolution(1, 3, stride=0),
        lambda: Convolution(1, 3, padding=-1),
        lambda: Dense(0),
        lambda: AveragePooling(0),
        lambda: Dense(10**9),
    ],
)
def test_impossible_layers_are_refused(make):
    with pytest.raises(ValueError, match='must be between'):
        make()
