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

"""Networks on the cores of Loihi chips: nothing is lost, nothing is overfull, fewest cores."""

from __future__ import annotations

import re
from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_models import IMAGE_SHAPE, random_graph

from snn_perception.backends.loihi import cores, mapping
from snn_perception.backends.loihi.cores import memory_bits
from snn_perception.backends.loihi.geometry import (
    Axis,
    Channels,
    Span,
    Tiling,
    even_lengths,
    spans,
)
from snn_perception.backends.loihi.mapping import SLOTS, place
from snn_perception.energy import count_chips
from snn_perception.layers import AveragePooling, Convolution, Dense, Sum
from snn_perception.loading import load_model
from snn_perception.network import Network
from snn_perception.neurons import LIF, AdaptiveLIF, Theta


@st.composite
def networks(draw):
    """Random networks, many of which take several cores a layer."""
    size = st.integers(3, 24)
    shape = inputs = draw(size), draw(size), 1
    layers = []
    for index in range(draw(st.integers(2, 4))):
        if index and draw(st.booleans()):
            block = draw(st.integers(1, min(3, *shape[:2])))
            layers.append(AveragePooling(block))
            shape = shape[0] // block, shape[1] // block, shape[2]
        padding = draw(st.integers(0, 3))
        kernel = draw(st.integers(1, min(5, min(shape[:2]) + 2 * padding)))
        form = kernel, draw(st.integers(1, 3)), padding
        layers.append(Convolution(draw(st.integers(1, 60 if index == 0 else 300)), *form))
        shape = layers[-1].output_shape(shape)
    # With many more synapses a single neuron would need more memory than a core has.
    if prod(shape) <= 60_000 and draw(st.booleans()):
        layers.append(Dense(draw(st.integers(1, 300))))
    return Network(inputs, (*layers, Dense(3)))


def check(network):
    """Every neuron is in one tile, and no core is overfull."""
    placement = place(network)
    assert not placement.excess
    assert len(placement.layers) == len(network.populations) - 1
    for placed, population in zip(placement.layers, network.populations, strict=False):
        found = np.zeros(population.output_shape, int)
        tiles = list(placed.tiling.tiles(population.output_shape))
        for tile in tiles:
            found[tuple(slice(*span) for span in tile)] += 1
        assert (found == 1).all()
        assert placed.neurons == population.neurons
        assert placed.cores == len(tiles)
        assert placed.synapse_bits == sum(map(placed.layer.synapse_bits, tiles))
        assert placed.compartments <= 1024
        assert placed.input_axons <= 4096
        assert placed.output_axons <= 4096
        assert placed.memory <= 128 * 1024 * 8
        assert placed.memory * placed.cores >= placed.synapse_bits


@given(networks())
@settings(deadline=None, max_examples=40)
def test_every_neuron_of_a_chain_is_in_one_tile_and_no_core_is_overfull(network):
    check(network)


@given(st.integers(0, 9999), st.integers(2, 8), st.sampled_from([12, 60, 1024]))
@settings(deadline=None, max_examples=40)
def test_every_neuron_of_a_graph_is_in_one_tile_and_no_core_is_overfull(seed, size, compartments):
    layers = random_graph(np.random.default_rng(seed), size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cores, 'COMPARTMENTS', compartments)
        check(Network(IMAGE_SHAPE, layers))


@given(
    inputs=st.integers(1, 20),
    kernel=st.integers(1, 7),
    stride=st.integers(1, 4),
    padding=st.integers(0, 4),
    length=st.integers(1, 9),
)
def test_windows_are_the_taps_of_a_convolution(inputs, kernel, stride, padding, length):
    outputs = (inputs + 2 * padding - kernel) // stride + 1
    if outputs < 1:
        return
    axis = Axis(inputs, outputs, kernel, stride, padding)
    found = {
        (position, tile.first + window.base + place, tap)
        for tile in spans(outputs, length)
        for position, window in axis.windows(tile).items()
        for place, tap in enumerate(window.taps)
    }
    assert found == {
        (output * stride - padding + tap, output, tap)
        for output in range(outputs)
        for tap in range(kernel)
        if 0 <= output * stride - padding + tap < inputs
    }


@given(st.data())
def test_channels_hear_and_reach_those_of_their_group(data):
    groups, inputs, outputs = (data.draw(st.integers(1, 6)) for _ in range(3))
    channels = Channels(groups * inputs, groups * outputs, groups)
    joined = {
        (one, other)
        for one in range(groups * inputs)
        for other in range(groups * outputs)
        if one // inputs == other // outputs
    }
    lengths = st.integers(1, groups * outputs).filter(channels.fits)
    length, source = data.draw(lengths), data.draw(st.integers(1, groups * inputs))
    tiles = spans(groups * outputs, length)
    for tile in tiles:
        here = {one: [o for o in range(*tile) if (one, o) in joined] for one, _ in joined}
        heard = [one for one, reached in sorted(here.items()) if reached]
        assert heard == list(range(*channels.heard(tile)))
        assert {len(here[one]) for one in heard} == {channels.reached(tile)}
    assert channels.targets(source, length) == tuple(
        sum(any((i, o) in joined for i in range(*part) for o in range(*tile)) for tile in tiles)
        for part in spans(groups * inputs, source)
    )


def test_pooled_positions_share_an_axon_and_need_one_to_every_tile_they_reach():
    # Eleven positions in pairs, a kernel of 3: pair p reaches outputs p - 1 to p + 1.
    axis = Axis(inputs=5, outputs=5, kernel=3, padding=1, pooling=2, dropped=1)
    assert axis.targets(source=11, target=5) == (5,)
    assert axis.targets(source=2, target=1) == (2, 3, 3, 3, 2, 0)
    assert axis.targets(source=10, target=1) == (13, 0)


def test_lengths_that_fit_leave_no_more_pieces_than_needed():
    channels = Channels(30, 12, groups=3)
    assert even_lengths(12, channels.fits) == [12, 8, 4, 2, 1]


@pytest.mark.parametrize('size', [1, 2, 7, 12, 100])
def test_even_lengths_leave_no_more_pieces_than_needed(size):
    counts = [len(spans(size, length)) for length in even_lengths(size)]
    assert counts == sorted(set(counts))
    assert counts[0] == 1
    assert counts[-1] == size


def test_no_tilings_of_a_small_network_take_fewer_cores(monkeypatch):
    monkeypatch.setattr(cores, 'COMPARTMENTS', 12)
    monkeypatch.setattr(mapping, 'OUTPUT_AXONS', 40)
    monkeypatch.setattr(cores, 'SYNAPSE_BITS', 1500)
    network = Network((4, 4, 1), (Convolution(4, 1), Convolution(6, 3, padding=1), Dense(2)))
    first, second = (cores.Layer(network, index) for index in range(2))
    (wiring,) = second.wirings
    every = [
        [Tiling(h, w, c) for h in range(1, 5) for w in range(1, 5) for c in range(1, 7)]
        for _ in range(2)
    ]
    fewest = min(
        first.count(one) + second.count(other)
        for one in every[0]
        if one.channels <= 4 and not first.excess(one)
        for other in every[1]
        if not second.excess(other) and SLOTS * wiring.most_targets(one, other) <= 40
    )
    placement = place(network)
    assert placement.cores == fewest
    assert placement.layers[0].output_axons <= 40


@pytest.mark.parametrize('seed', range(20, 30))
@pytest.mark.parametrize('output_axons', [24, 60])
def test_no_tilings_of_a_small_graph_take_fewer_cores(seed, output_axons, monkeypatch):
    monkeypatch.setattr(cores, 'COMPARTMENTS', 48)
    monkeypatch.setattr(cores, 'SYNAPSE_BITS', 3000)
    monkeypatch.setattr(mapping, 'OUTPUT_AXONS', output_axons)
    network = Network(IMAGE_SHAPE, random_graph(np.random.default_rng(seed), 3))
    layers = [cores.Layer(network, index) for index in range(3)]
    ways = product(*(layer.tilings() for layer in layers))
    counts = {
        way: sum(layer.count(tiling) for layer, tiling in zip(layers, way, strict=True))
        for way in ways
    }
    fewest = next(
        counts[way]
        for way in sorted(counts, key=counts.get)
        if all(SLOTS * axons(index, layers, way) <= output_axons for index in range(3))
    )
    assert place(network).cores == fewest


def axons(source, layers, tilings):
    """The most connections out of a tile to each target, summed."""
    return sum(
        wiring.most_targets(tilings[source], tiling)
        for layer, tiling in zip(layers, tilings, strict=True)
        for wiring in layer.wirings
        if wiring.source == source
    )


def test_memory_is_counted_in_words_of_64_bits_for_64_synapses_at_most():
    assert memory_bits(1, last_index=0) == 64
    assert memory_bits(3, last_index=63) == 64  # 3 x (8 + 6) + 10 bits
    assert memory_bits(4, last_index=63) == 128
    assert memory_bits(64, last_index=1023) == 19 * 64  # 64 x (8 + 10) + 10 bits
    assert memory_bits(65, last_index=1023) == 20 * 64


def test_the_digits_take_one_chip_and_the_photographs_less_than_a_board():
    assert place(load_model('mnist').network).chips == 1
    assert 1 <= place(load_model('cifar10').network).chips <= 8


@pytest.mark.parametrize(
    ('shape', 'layers', 'reason'),
    [
        (
            (64, 64, 1),
            (Convolution(32, 1), Dense(3), Dense(2)),
            r'a neuron of layer 1 \(dense\) needs 2097152 bits of synapse memory, but a Loihi '
            r'core has 1048576',
        ),
        (
            (65, 64, 1),
            (Convolution(1, 1), Dense(3), Dense(2)),
            r'a neuron of layer 1 \(dense\) needs 4160 input axons, but a Loihi core has 4096',
        ),
        (
            (16, 16, 1),
            (Convolution(240, 1), Dense(2100), Dense(2)),
            r'a neuron of layer 0 \(convolution\) needs an axon to every core of layer 1 '
            r'\(dense\) that it reaches, but a Loihi core has 2048',
        ),
        (
            (300, 300, 1),
            (Convolution(48, 1), Dense(2)),
            r'the network needs \d+ Loihi cores, but a board of 32 chips has 4096',
        ),
        (
            (16, 16, 1),
            (
                Convolution(240, 1, name='stem'),
                Dense(1100),
                Sum((Dense(1100), Dense(1100, source='stem')), name='sum'),
                Dense(2),
            ),
            r"a neuron of layer 0 'stem' \(convolution\) needs an axon to every core of layer 1 "
            r"\(dense\) and layer 2 'sum' \(dense \+ dense\) that it reaches, but a Loihi core "
            r'has 2048',
        ),
        (
            (64, 64, 1),
            (
                Convolution(14, 1, name='stem'),
                Convolution(14, 1),
                Sum((Dense(3), Dense(3, source='stem'))),
                Dense(2),
            ),
            r'a neuron of layer 2 \(dense \+ dense\) needs 8192 input axons, but a Loihi core has '
            r'4096',
        ),
        ((4, 4, 1), (Dense(2),), 'Loihi needs a layer of neurons before the readout'),
    ],
)
def test_what_does_not_fit_says_the_layer_and_the_limit(shape, layers, reason):
    placement = place(Network(shape, layers))
    assert re.fullmatch(reason, placement.excess)
    assert sum(placed.neurons for placed in placement.layers) == Network(shape, layers).neurons


def test_outputs_that_see_only_padding_take_no_synapses():
    network = Network((2, 2, 1), (Convolution(2, 1), Convolution(3, 1, padding=3), Dense(2)))
    layer = cores.Layer(network, 1)
    assert layer.shape == (8, 8, 3)
    corner = next(Tiling(2, 2, 3).tiles(layer.shape))
    assert corner.rows == Span(0, 2)
    assert layer.synapse_bits(corner) == 0
    assert place(network).cores == 2


@pytest.mark.parametrize('neuron', [LIF(), AdaptiveLIF(), Theta()])
@pytest.mark.parametrize('copies', [1, 2])
def test_chips_are_counted_for_every_network(neuron, copies):
    for seed in range(10):
        layers = random_graph(np.random.default_rng(seed), 1 + seed % 5)
        placement = place(Network(IMAGE_SHAPE, layers, neuron), copies)
        counts = count_chips(Network(IMAGE_SHAPE, layers, neuron), copies)
        assert counts['loihi'] == placement.chips == 1
        assert bool(placement.excess) == (type(neuron) is not LIF)
    assert count_chips(Network((4, 4, 1), (Dense(2),), neuron), copies)['loihi'] == 0


def test_a_depthwise_layer_needs_the_memory_and_the_axons_of_its_own_channels():
    form = {'kernel': 3, 'padding': 1}
    layers = (Convolution(512, 1), Convolution(512, groups=512, **form), Dense(2))
    full = (Convolution(512, 1), Convolution(512, **form), Dense(2))
    depthwise, dense = (place(Network((8, 8, 1), each)).layers for each in (layers, full))
    assert [placed.cores for placed in depthwise] == [32, 32]
    # Every channel of a core has 9 weights, and parts of them at the edges.
    assert depthwise[1].synapse_bits < dense[1].synapse_bits / 40
    assert depthwise[0].output_axons < dense[0].output_axons / 4
