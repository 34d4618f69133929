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

"""The network that a trained one becomes, before anything is fitted."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from analogs import inputs, random_analog, tiny_conversion
from hypothesis import given, settings
from hypothesis import strategies as st

from snn_perception.images import prepare
from snn_perception.interchange.analog import Analog
from snn_perception.layers import Convolution, Dense, Identity, Sum
from snn_perception.network import Network
from snn_perception.training.conversion_network import (
    network_of,
    preprocessing_of,
    with_outputs,
)
from snn_perception.training.recipe import RecipeError


def converted(analog: Analog, **changes) -> Analog:
    """`analog` with the layers and weights of what it becomes."""
    network, weights = network_of(tiny_conversion(**changes), analog)
    return replace(analog, layers=network.layers, weights=weights)


def test_a_network_with_weights_on_all_its_connections_answers_as_before() -> None:
    analog = random_analog()
    network, _ = network_of(tiny_conversion(), analog)
    assert all(
        connection.weight_shape
        for population in network.populations
        for connection in population.connections
    )
    images = inputs(analog)
    assert np.allclose(converted(analog).answer(images), analog.answer(images), atol=1e-5)


HEADS = {
    'convolution': (Convolution(6, 3),),
    'groups': (Convolution(6, 3, padding=1, groups=3),),
    'several a group': (Convolution(9, 2, groups=3),),
    'dense': (Dense(5),),
    'identity': (Identity(0.7),),
    'sum': (
        Convolution(6, 3, padding=1, groups=3, name='first'),
        Sum(
            (
                Convolution(3, 1, source='first'),
                Identity(2.0, source='input'),
                Convolution(3, 3, padding=1, groups=3, source='input'),
            )
        ),
    ),
}


@pytest.mark.parametrize('head', HEADS)
@settings(max_examples=5)
@given(seed=st.integers(0, 1000), height=st.integers(3, 6), width=st.integers(3, 6))
def test_a_network_that_wants_blue_first_answers_images_with_red_first(
    head: str, seed: int, height: int, width: int
) -> None:
    layers = (*HEADS[head], Dense(4))
    analog = random_analog(seed, layers, (height, width, 3), bgr=True)
    images = inputs(analog)
    found = converted(analog).answer(images[..., ::-1])
    assert np.allclose(found, analog.answer(images), rtol=1e-4, atol=1e-4)


def test_the_recipe_says_whether_blue_is_first_where_the_file_is_wrong() -> None:
    images = inputs(random_analog())
    for in_file in (False, True):
        analog = random_analog(bgr=in_file)
        plain = converted(analog, input={'bgr': False}).answer(images)
        turned = converted(analog, input={'bgr': True}).answer(images)
        assert np.allclose(plain, analog.answer(images), atol=1e-5)
        assert np.allclose(turned, analog.answer(images[..., ::-1]), atol=1e-5)


def test_mean_and_deviation_are_in_the_order_of_the_channels_of_the_file() -> None:
    analog = replace(random_analog(bgr=True), deviation=(0.1, 0.2, 0.3))
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    found = prepare(pixels, preprocessing_of(tiny_conversion(), analog))
    expected = (pixels[..., ::-1] / 255 - analog.mean) / analog.deviation
    assert np.allclose(found[..., ::-1], expected, atol=1e-5)


def test_a_recipe_can_say_what_the_file_does_not() -> None:
    analog = replace(random_analog(), mean=None, deviation=None)
    with pytest.raises(RecipeError, match='does not say which mean and deviation'):
        preprocessing_of(tiny_conversion(), analog)
    said = tiny_conversion(input={'mean': [0.4], 'deviation': [0.2], 'fit': 'stretch'})
    preprocessing = preprocessing_of(said, analog)
    assert (preprocessing.mean, preprocessing.fit) == ((0.4,), 'stretch')
    wrong = tiny_conversion(input={'mean': [0.4, 0.4], 'deviation': [0.2]})
    with pytest.raises(ValueError, match=re.escape('one per channel (3), not (0.4, 0.4)')):
        preprocessing_of(wrong, analog)


def test_outputs_can_be_left_out() -> None:
    analog = random_analog()
    images = inputs(analog)
    kept = with_outputs(analog, [3, 1])
    assert Network(kept.input_shape, kept.layers).classes == 2
    assert np.array_equal(kept.answer(images), analog.answer(images)[:, [3, 1]])
