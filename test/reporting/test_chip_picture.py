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

"""The picture of a network on chips shows the figures that it is given."""

from __future__ import annotations

import pytest

from snn_perception.backends.loihi.mapping import place
from snn_perception.evaluation.on_chip import LIMITS, resources
from snn_perception.layers import Convolution, Dense
from snn_perception.network import Network
from snn_perception.reporting.chip_picture import picture

NETWORK = Network((16, 16, 1), (Convolution(50, 3), Convolution(60, 3, padding=1), Dense(3)))


def lines(axes):
    """The points of each kind, by its name in the legend."""
    return {line.get_label(): line.get_xdata() for line in axes.get_lines()}


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_the_fullest_core_of_each_layer_is_shown_as_a_share_of_the_limits():
    figures = resources(place(NETWORK))
    (axes,) = picture(figures).axes
    found = lines(axes)
    for name, key in (
        ('neurons', 'core_neurons'),
        ('axons in', 'core_axons_in'),
        ('axons out', 'core_axons_out'),
        ('synapse memory', 'core_synapse_kib'),
    ):
        shares = [layer[key] / LIMITS[key] for layer in figures['layers']]
        assert list(found[name]) == pytest.approx(shares)
    assert texts(axes) == [f'{layer["cores"]} cores' for layer in figures['layers']]
    assert axes.get_xlim() == (0, 1)


def test_what_does_not_fit_is_shown_beyond_the_limit():
    large = Network((64, 64, 1), (Convolution(32, 1), Dense(1), Dense(2)))
    (axes,) = picture(resources(place(large))).axes
    assert lines(axes)['synapse memory'][1] == 2
    assert axes.get_xlim() == (0, 2)


def test_rates_on_the_chip_are_shown_beside_those_in_floating_point():
    rows = [
        {'floating_point_hz': 10.0, 'chip_hz': 11.0, 'correlation': 0.98765},
        {'floating_point_hz': 20.0, 'chip_hz': 19.0, 'correlation': 0.5},
    ]
    _, axes = picture(resources(place(NETWORK)) | {'comparison': rows}).axes
    found = lines(axes)
    assert list(found['floating point']) == [10, 20]
    assert list(found['on the chip']) == [11, 19]
    assert texts(axes) == ['r = 0.988', 'r = 0.500']
