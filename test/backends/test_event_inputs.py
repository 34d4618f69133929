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

"""What an image adds to the currents of neurons, as the sparse engine computes it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_models import random_images, random_model

from snn_perception.backends.event_inputs import ImageInputs, image_currents
from snn_perception.backends.event_layout import arrange
from snn_perception.backends.reference import weighted_sum
from snn_perception.layers import Convolution, Dense, Sum


@given(
    seed=st.integers(0, 1000),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.tuples(*[st.integers(0, 2)] * 4),
    groups=st.sampled_from([1, 3]),
)
def test_currents_equal_the_reference_for_every_kernel_stride_and_padding(
    seed, kernel, stride, padding, groups
):
    layers = (Convolution(6, kernel, stride, padding, groups), Dense(3))
    model = random_model(seed, layers=layers)
    images = random_images(model, 2, seed)
    ((connection, weights),) = model.connections(0)
    expected = weighted_sum(connection, weights.astype(np.float64), images.astype(np.float64))
    assert np.allclose(image_currents(connection, weights, images), expected, atol=1e-5)


def test_inputs_follow_the_images_and_include_the_bias():
    both = Sum((Convolution(5, 1), Convolution(5, 3, source='input')))
    model = random_model(layers=(Convolution(5, 3), both, Dense(3)))
    network, _ = arrange(model, 'float32')
    inputs = ImageInputs(model, network)
    images = random_images(model, 4)
    for shown in (images[:2], images[2:], images[2:], images[:1]):
        values = inputs.of(shown).reshape(len(shown), 2, 9, 8, 16)
        for index in (0, 1):
            connection, kernel = list(model.connections(index))[-1]
            expected = weighted_sum(connection, kernel, shown) + model.weights[index].bias
            assert np.allclose(values[:, index, :, :, :5], expected, atol=1e-5)
            assert not values[:, index, :, :, 5:].any()


def test_images_that_are_shown_again_cost_nothing(monkeypatch):
    model = random_model()
    inputs = ImageInputs(model, arrange(model, 'float32')[0])
    images = random_images(model, 2)
    first = inputs.of(images)
    monkeypatch.setattr(inputs, '_computed', lambda _: pytest.fail('computed again'))
    assert inputs.of(images.copy()) is first
