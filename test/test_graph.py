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

"""Layers become a graph: what reads what, and a sentence for every graph that is none."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from random_models import random_graph_model

from snn_perception.backends.reference import convolve
from snn_perception.graph import IMAGE
from snn_perception.layers import (
    AveragePooling,
    Convolution,
    Dense,
    GlobalAveragePooling,
    Identity,
    Sum,
)
from snn_perception.network import Network
from snn_perception.synapses import Synapse

CONVOLUTION, READOUT = Convolution(4, 3, padding=1), Dense(2)


def network(*layers) -> Network:
    return Network((8, 6, 4), layers)


def test_a_layer_without_a_source_reads_the_one_before_it():
    sources = [
        connection.source
        for population in network(CONVOLUTION, AveragePooling(2), CONVOLUTION, READOUT).populations
        for connection in population.connections
    ]
    assert sources == [IMAGE, 0, 1]


def test_a_layer_reads_the_source_that_it_names():
    made = network(
        Convolution(4, 3, padding=1, name='a'),
        Convolution(4, 3, padding=1),
        Sum((Convolution(4, 1, source='a'), Identity(0.1), Convolution(4, 1, source='input'))),
        READOUT,
    )
    assert [each.source for each in made.populations[2].connections] == [0, 1, IMAGE]


def test_poolings_in_a_row_are_one_and_may_be_read_by_several():
    made = network(
        Convolution(4, 3, padding=1, name='a'),
        AveragePooling((2, 1), name='half'),
        AveragePooling((1, 2)),
        Sum((Convolution(4, 1), (AveragePooling((1, 2), source='half'), Identity(0.1)))),
        GlobalAveragePooling(),
        READOUT,
    )
    first, second = made.populations[1].connections
    assert first.pooling == second.pooling == (2, 2)
    assert made.populations[2].connections[0].pooling == (4, 3)
    assert made.populations[2].connections[0].input_shape == (1, 1, 4)


@given(
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.tuples(*[st.integers(0, 3)] * 4),
    groups=st.sampled_from([1, 2, 4]),
    seed=st.integers(0, 9),
)
def test_a_convolution_is_that_of_pytorch(size, kernel, stride, padding, groups, seed):
    top, bottom, left, right = padding
    if size[0] + top + bottom < kernel[0] or size[1] + left + right < kernel[1]:
        return
    layer = Convolution(8, kernel, stride, padding, groups)
    random, shape = np.random.default_rng(seed), (*size, 4)
    weights = random.normal(size=layer.weight_shape(shape))
    values = random.normal(size=(2, *shape))
    image = torch.from_numpy(values).permute(0, 3, 1, 2).requires_grad_()
    expected = torch.nn.functional.conv2d(
        torch.nn.functional.pad(image, (left, right, top, bottom)),
        torch.from_numpy(weights).permute(3, 2, 0, 1),
        stride=stride,
        groups=groups,
    )
    found = convolve(layer, weights, values)
    assert found.shape[1:] == layer.output_shape(shape)
    assert np.allclose(found, expected.detach().permute(0, 2, 3, 1).numpy())
    # Where all weights are 1, the gradient of the sum counts the synapses of each input.
    ones = torch.ones(8, 4 // groups, *kernel, dtype=torch.float64)
    padded = torch.nn.functional.pad(image, (left, right, top, bottom))
    torch.nn.functional.conv2d(padded, ones, stride=stride, groups=groups).sum().backward()
    assert np.array_equal(layer.fan_out(shape), image.grad[0, 0].numpy())


def test_counts_of_a_known_graph():
    made = network(
        Convolution(4, 1, name='a'),
        Convolution(4, 3, padding=1, groups=4),
        Sum((Convolution(8, 1), Convolution(8, 1, groups=2, source='a'))),
        GlobalAveragePooling(),
        READOUT,
    )
    pixels = 8 * 6
    windows = (3 * 8 - 2) * (3 * 6 - 2)  # the pixels that all 3x3 windows cover, added up
    assert [each.macs for each in made.populations] == [
        pixels * 4 * 4,
        windows * 4,
        pixels * (4 * 8 + 4 * 8 // 2),
        8 * 2,
    ]
    assert made.image_macs == pixels * 16
    assert made.synapses == made.macs - made.image_macs
    assert made.neurons == pixels * (4 + 4 + 8)
    assert np.all(made.populations[3].connections[0].fan_out == 2)
    assert np.all(made.populations[2].connections[1].fan_out == 4)


def test_depth_and_delay_follow_the_longest_way():
    layers = (
        Convolution(4, 3, padding=1, name='a'),
        CONVOLUTION,
        CONVOLUTION,
        Sum((CONVOLUTION, Identity(0.1, source='a'))),
        READOUT,
    )
    made = Network((8, 6, 4), layers, synapse=Synapse('alpha', 0.005))
    assert made.depth == 4
    # Three populations hear spikes through two filters of 5 ms each, the readout through none.
    assert made.synaptic_delay == pytest.approx(0.03)


@pytest.mark.parametrize('seed', range(5))
def test_the_operations_of_all_spikes_are_the_synapses(seed):
    for population in random_graph_model(seed).network.populations:
        for connection in population.connections:
            # Of the synapses of a pool's value each of its spikes counts all.
            spikes = connection.fan_out.sum() * connection.source_shape[2]
            assert spikes == connection.macs * np.prod(connection.pooling)


@pytest.mark.parametrize(
    ('layers', 'message'),
    [
        ((Convolution(4, 3, source='b'), READOUT), "layer 0 .* from 'b', and no layer has that"),
        ((Convolution(4, 3, name='a', source='a'), READOUT), "layer 0 'a' .* no cycles"),
        (
            (
                CONVOLUTION,
                Sum((CONVOLUTION, Convolution(4, 3, padding=1, source='b'))),
                Convolution(4, 3, name='b'),
                READOUT,
            ),
            r"layer 1 \(sum\) takes its input from 'b', which does not come before it",
        ),
        (
            (Convolution(4, 3, name='a'), Convolution(4, 3, name='a'), READOUT),
            "layer 1 'a' .* name of an earlier layer",
        ),
        (
            (Convolution(4, 3, name='a'), Sum((CONVOLUTION, Convolution(4, 3))), READOUT),
            r'layer 1 \(sum\) cannot add .* \(4, 2, 4\) and \(6, 4, 4\)',
        ),
        ((Convolution(6, 3, groups=3), READOUT), 'layer 0 .* 3 groups, which do not divide the 4'),
        (
            (Convolution(4, 3, name='a'), CONVOLUTION, Dense(2, source='a')),
            r'layer 1 \(convolution\) is read by no other layer',
        ),
        (
            (Convolution(4, 3, name='a'), Dense(3), Dense(2, source='a')),
            r'layer 1 \(dense\) is read by no other layer, and only the last one may be an output',
        ),
        (
            (CONVOLUTION, Sum((READOUT, (AveragePooling(2, source='input'), READOUT)))),
            r'layer 1 \(sum\) cannot pool the image',
        ),
        (
            (Convolution(4, 1, stride=60000, padding=60000), READOUT),
            'layer 0 .* has a padding that makes .* values of its input, more than the 50000000',
        ),
        ((CONVOLUTION, AveragePooling(7), READOUT), r'layer 1 \(average pooling\) has no output'),
        ((CONVOLUTION, Sum((READOUT, Identity(1.0)))), 'last layer must be dense, or a sum'),
    ],
)
def test_what_is_no_graph_is_refused_with_the_name_of_the_layer(layers, message):
    with pytest.raises(ValueError, match=message) as caught:
        network(*layers)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda: Sum(()), 'at least one branch'),
        (lambda: Sum((AveragePooling(2),)), 'must end with a convolution'),
        (lambda: Sum(((Dense(3), Dense(2)),)), 'only be poolings'),
        (lambda: Sum((Dense(3, name='x'),)), 'no layer can have a name'),
        (lambda: Sum(((AveragePooling(2), Dense(3, source='x')),)), 'only the first one a source'),
        (lambda: Identity(float('nan')), 'scale of an identity must be a finite'),
        (lambda: Identity(1.0, name='input'), "no layer can have the name 'input'"),
        (lambda: Sum((Dense(3),), name='input'), "no layer can have the name 'input'"),
        (lambda: Convolution(8, 3, groups=3), 'must divide its 8 channels'),
        (lambda: Convolution(8, (3, 0)), 'kernel of a convolution must be between'),
        (lambda: Convolution(8, 3, padding=(0, 0, -1, 0)), 'padding of a convolution must be'),
        (lambda: AveragePooling((2, 0)), 'size of an average pooling must be between'),
    ],
)
def test_impossible_layers_of_graphs_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_population_is_forgotten_after_its_last_reader():
    made = network(
        Convolution(4, 3, padding=1, name='a'),
        CONVOLUTION,
        Sum((CONVOLUTION, Identity(0.1, source='a'))),
        READOUT,
    )
    assert made.read_last == [[IMAGE], [], [0, 1], [2]]
