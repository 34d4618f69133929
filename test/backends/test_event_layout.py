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
from random_models import random_model

from snn_perception.backends.event_layout import LARGEST_BLOCK, aligned_zeros, arrange
from snn_perception.backends.event_memory import UNIT
from snn_perception.backends.vectors import CACHE_LINE
from snn_perception.layers import Convolution, Dense


@pytest.mark.parametrize('size', [1, 63, 1000])
def test_memory_begins_with_a_line_of_the_cache(size):
    for _ in range(5):
        memory = aligned_zeros(size)
        assert memory.shape == (size,)
        assert memory.ctypes.data % CACHE_LINE == 0
        assert not memory.any()


@pytest.mark.parametrize(
    ('channels', 'lanes', 'blocks'),
    [(10, 16, 1), (24, 32, 1), (40, 48, 1), (96, 48, 2), (128, 64, 2)],
)
def test_channels_are_padded_to_the_cheapest_blocks(channels, lanes, blocks):
    layers = (Convolution(channels, 3), Dense(3))
    populations = arrange(random_model(layers=layers), 'float32')[0].populations
    assert (populations[0]['lanes'], populations[0]['blocks']) == (lanes, blocks)


@pytest.mark.parametrize(('precision', 'lanes'), [('float32', 32), ('bfloat16', 64), ('int8', 64)])
def test_the_weights_of_a_block_fit_into_the_cache(precision, lanes):
    layers = (Convolution(256, 1), Convolution(128, 3), Dense(3))
    network, _ = arrange(random_model(layers=layers), precision)
    entry, link = network.populations[1], network.links[0]
    assert entry['lanes'] == lanes
    length = link['rows'] * link['columns'] * link['channels'] * link['units'] * UNIT
    assert length <= LARGEST_BLOCK


def test_each_population_knows_its_links_and_those_that_read_it():
    network, _ = arrange(random_model(layers=(Convolution(5, 3), Dense(6), Dense(3))), 'float32')
    for index, entry in enumerate(network.populations):
        assert (network.links['target'][entry['link'] : entry['link_end']] == index).all()
        readers = network.readers[entry['reader'] : entry['reader_end']]
        assert np.array_equal(network.links['source'][readers], [index] * len(readers))
        assert len(readers) == (index < 2)
