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

"""What is read from ONNX files answers as the library onnx says that it must."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optional import library

from snn_perception.interchange.analog import read_analog
from snn_perception.layers import (
    AveragePooling,
    Convolution,
    Dense,
    GlobalAveragePooling,
    Identity,
    Sum,
)

onnx = library('onnx')
from onnx_networks import OnnxNetwork, answers  # noqa: E402

QUANTISED = 19
"""Oldest opset of which the reference of onnx knows how to dequantise."""
TOLERANCE = {'rtol': 2e-4, 'atol': 2e-4}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('onnx')


def read(model, folder):
    path = folder / 'network.onnx'
    path.write_bytes(model.SerializeToString())
    return read_analog(path)


def assert_same_answers(network, output, folder, **options):
    """The network read from a file answers as the file's own; returns it."""
    model = network.model(output, **options)
    analog, images = read(model, folder), network.images()
    [expected] = answers(model, images)
    found = analog.answer(images.transpose(0, 2, 3, 1))
    np.testing.assert_allclose(found, expected.reshape(len(images), -1), **TOLERANCE)
    assert len(analog.fates) == len(network.nodes)
    assert all(fate.outcome for fate in analog.fates)
    return analog


def padded(network, data, source, inputs, channels, kernel):
    """A convolution with one of the ways to pad."""
    strides = data.draw(st.sampled_from([[1, 1], [2, 2], [1, 2]]))
    group = data.draw(st.sampled_from([1, 2]))
    options = {'strides': strides, 'group': group}
    way = data.draw(st.sampled_from(['pads', 'SAME_UPPER', 'SAME_LOWER', 'VALID', 'node']))
    if way == 'pads':
        options['pads'] = data.draw(st.lists(st.integers(0, 2), min_size=4, max_size=4))
    elif way == 'node':
        top, left, bottom, right = data.draw(st.lists(st.integers(0, 2), min_size=4, max_size=4))
        pads = np.array([0, 0, top, left, 0, 0, bottom, right])
        source = network.add('Pad', source, pads)
    else:
        options['auto_pad'] = way
    return network.convolution(source, inputs, channels, kernel, **options)


def rectified(network, data, source):
    way = data.draw(st.sampled_from(['Relu', 'Relu6', 'Clip', 'Max', 'both']))
    if way == 'both':
        source = network.add('Relu', source)
    if way in ('Relu', 'both'):
        return network.add('Relu', source)
    if way == 'Max':
        return network.add('Max', source, np.float32(0))
    ceiling = np.float32(6 if way == 'Relu6' else 0.7)
    return network.add('Clip', source, np.float32(0), ceiling)


HEADS = ['global', 'flatten', 'mean', 'pixel']


def finished(network, data, source, shape):
    """One of the usual ends of a network on a map of `shape` (channels, rows, columns)."""
    channels, classes = shape[0], 4
    way = data.draw(st.sampled_from(HEADS))
    if way == 'global':
        output = network.head(source, channels)
    elif way == 'flatten':
        flat = network.add('Reshape', source, np.array([1, -1]))
        hidden = network.add('MatMul', flat, network.normal(5, int(np.prod(shape))).T)
        hidden = network.add('Relu', network.add('Add', hidden, network.normal(5)))
        output = network.add('Gemm', hidden, network.normal(5, classes), alpha=0.5)
    elif way == 'mean':
        pooled = network.add('ReduceMean', source, axes=[2, 3], keepdims=0)
        output = network.add('MatMul', pooled, network.normal(channels, classes))
    else:
        pooled = network.add('GlobalAveragePool', source)
        output = network.convolution(pooled, channels, classes, 1)
        output = network.add('Squeeze', output, np.array([2, 3]))
    return output


@given(data=st.data())
@settings(deadline=None, max_examples=40)
def test_a_network_of_all_operators_gives_the_activations_of_the_original(folder, data):
    sizes = st.integers(6, 9)
    shape = data.draw(st.sampled_from([1, 3])), data.draw(sizes), data.draw(sizes)
    network = OnnxNetwork(shape, data.draw(st.integers(0, 9)))
    source = network.convolution('image', shape[0], 4, 3, pads=[1, 1, 1, 1])
    source = rectified(network, data, network.normalisation(source, 4))
    skip = source
    source = network.convolution(source, 4, 4, 3, group=4, pads=[1, 1, 1, 1], strides=[1, 1])
    source = network.add('Relu', network.add('Add', source, skip))
    if data.draw(st.booleans()):
        source = network.add('AveragePool', source, kernel_shape=[2, 3], strides=[2, 3])
    kernel = data.draw(st.integers(1, 2))
    source = padded(network, data, network.add('Identity', source), 4, 6, kernel)
    source = rectified(network, data, source)
    [values] = answers(network.model(source), network.images(1))
    output = finished(network, data, source, values.shape[1:])
    analog = assert_same_answers(network, output, folder)
    model, images = network.model(output), network.images(2)
    [expected] = answers(model, images, source)
    activations = analog.activations(images.transpose(0, 2, 3, 1))
    maps = [each.transpose(0, 3, 1, 2) for each in activations]
    closest = min(np.abs(each - expected).max() for each in maps if each.shape == expected.shape)
    assert closest < 1e-4


def test_flattened_maps_reach_dense_layers_in_the_order_of_the_file(folder):
    network = OnnxNetwork((3, 5, 4))
    source = network.add('Relu', network.convolution('image', 3, 6))
    output = network.add('Gemm', network.add('Flatten', source), network.normal(6 * 3 * 2, 4))
    analog = assert_same_answers(network, output, folder)
    assert analog.layers == (Convolution(6, 3), Dense(4))


def test_images_may_come_with_their_channels_last(folder):
    network = OnnxNetwork((6, 5, 3))
    source = network.add('Transpose', 'image', perm=[0, 3, 1, 2])
    source = network.add('Relu', network.convolution(source, 3, 4))
    source = network.add('Transpose', source, perm=[0, 2, 3, 1])
    flat = network.add('Reshape', source, np.array([0, -1]))
    output = network.add('MatMul', flat, network.normal(4 * 4 * 3, 5))
    model = network.model(output)
    analog, images = read(model, folder), network.images()
    assert analog.input_shape == (6, 5, 3)
    np.testing.assert_allclose(analog.answer(images), answers(model, images)[0], **TOLERANCE)


def test_a_softmax_at_the_end_is_left_out(folder):
    network = OnnxNetwork()
    scores = network.head(network.add('Relu', network.convolution('image', 3, 4)), 4)
    output = network.add('Softmax', scores, axis=1)
    model = network.model(output)
    analog, images = read(model, folder), network.images()
    exponential = np.exp(analog.answer(images.transpose(0, 2, 3, 1)))
    shares = exponential / exponential.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, answers(model, images)[0], **TOLERANCE)
    assert analog.fates[-1].outcome.startswith('left out: a softmax at the end')


def test_inverted_residuals_without_activations_are_composed_exactly(folder):
    network = OnnxNetwork((3, 8, 8))
    source = network.convolution('image', 3, 4, pads=[1, 1, 1, 1], strides=[2, 2])
    narrow = network.convolution(network.add('Relu', source), 4, 3, 1)
    for _ in range(2):
        wide = network.add('Relu', network.convolution(narrow, 3, 8, 1))
        wide = network.add('Relu', network.convolution(wide, 8, 8, pads=[1] * 4, group=8))
        projected = network.normalisation(network.convolution(wide, 8, 3, 1), 3)
        narrow = network.add('Add', narrow, projected)
    last = network.add('Clip', network.convolution(narrow, 3, 6, 1), np.float32(0), np.float32(6))
    analog = assert_same_answers(network, network.head(last, 6), folder)
    branches = analog.layers[-3].branches
    assert branches == (
        (Convolution(6, 1, source='layer0'),),
        (Convolution(6, 1, source='layer2'),),
        (Convolution(6, 1),),
    )
    assert analog.ceilings[-1] == 6
    composed = [fate.outcome for fate in analog.fates if 'of layers' in fate.outcome]
    assert 'convolution 1x1, of layers 1 and 3 and 5' in composed


def test_a_residual_becomes_an_identity_and_a_branch_before_the_neurons(folder):
    network = OnnxNetwork()
    first = network.add('Relu', network.convolution('image', 3, 4))
    second = network.convolution(first, 4, 4, pads=[1] * 4)
    last = network.add('Relu', network.add('Add', second, first))
    analog = assert_same_answers(network, network.head(last, 4), folder)
    assert analog.layers == (
        Convolution(4, 3),
        Sum((Convolution(4, 3, padding=1), Identity(1.0))),
        GlobalAveragePooling(),
        Dense(4),
    )


def test_a_network_may_end_with_the_mean_of_rectified_maps(folder):
    network = OnnxNetwork()
    source = network.add('Relu', network.convolution('image', 3, 4))
    scores = network.add('Relu', network.convolution(source, 4, 5, 1))
    output = network.add('Flatten', network.add('GlobalAveragePool', scores))
    analog = assert_same_answers(network, output, folder)
    assert analog.layers[-2:] == (GlobalAveragePooling(), Dense(5))
    np.testing.assert_array_equal(analog.weights[-1].kernel, np.eye(5))


def test_a_rectifier_of_the_scores_is_left_out(folder):
    network = OnnxNetwork()
    source = network.add('Relu', network.convolution('image', 3, 4))
    model = network.model(network.add('Relu', network.head(source, 4)))
    analog, images = read(model, folder), network.images()
    found = np.maximum(analog.answer(images.transpose(0, 2, 3, 1)), 0)
    np.testing.assert_allclose(found, answers(model, images)[0], **TOLERANCE)
    assert analog.fates[-1].outcome.startswith('rectifier, left out: at the end')


def test_normalisation_before_a_rectifier_and_behind_one_is_folded(folder):
    network = OnnxNetwork()
    source = network.normalisation(network.convolution('image', 3, 4), 4)
    source = network.normalisation(network.add('Relu', source), 4)
    source = network.add('Relu', network.convolution(source, 4, 4))
    analog = assert_same_answers(network, network.head(source, 4), folder)
    assert len(analog.ceilings) == 2


def test_factors_and_constants_are_folded(folder):
    network = OnnxNetwork()
    source = network.add('Mul', network.convolution('image', 3, 4), np.float32(0.5))
    source = network.add('Sub', source, network.normal(1, 4, 1, 1))
    source = network.add('Div', source, np.abs(network.normal(4, 1, 1)) + 1)
    source = network.add('Sum', network.add('Relu', source), network.add('Relu', source), source)
    source = network.add('Sub', np.float32(1), network.add('Sub', source, source))
    source = network.add('Min', network.add('Relu', source), np.float32(1.2))
    assert_same_answers(network, network.head(source, 4), folder)


def test_scaling_of_the_image_inside_the_network_becomes_preprocessing(folder):
    network = OnnxNetwork()
    mean, deviation = np.array([0.4, 0.5, 0.6]), np.array([0.2, 0.25, 0.3])
    column = {'dtype': np.float32, 'ndmin': 4}
    scaled = network.add('Mul', 'image', np.float32(1 / 255))
    scaled = network.add('Sub', scaled, np.array(mean, **column).reshape(1, 3, 1, 1))
    scaled = network.add('Div', scaled, np.array(deviation, **column).reshape(1, 3, 1, 1))
    source = network.add('Relu', network.convolution(scaled, 3, 4, pads=[1] * 4))
    model = network.model(network.head(source, 4))
    analog = read(model, folder)
    np.testing.assert_allclose(analog.mean, mean, rtol=1e-6)
    np.testing.assert_allclose(analog.deviation, deviation, rtol=1e-6)
    images = np.random.default_rng(0).random((2, 8, 8, 3), np.float32)
    prepared = ((images - mean) / deviation).astype(np.float32)
    [expected] = answers(model, 255 * images.transpose(0, 3, 1, 2))
    np.testing.assert_allclose(analog.answer(prepared), expected, **TOLERANCE)


def test_shapes_that_are_computed_for_a_reshape_are_followed(folder):
    network = OnnxNetwork()
    source = network.add('Relu', network.convolution('image', 3, 4))
    batch = network.add('Gather', network.add('Shape', source), np.array(0), axis=0)
    batch = network.add('Unsqueeze', batch, np.array([0]))
    shape = network.add('Concat', batch, np.array([-1]), axis=0)
    flat = network.add('Dropout', network.add('Reshape', source, shape))
    output = network.add('Gemm', flat, network.normal(4 * 6 * 6, 3))
    assert_same_answers(network, output, folder)


def quantised(network, source, scale, zero_point):
    """A node that quantises `source` and one that takes it back."""
    numbers = np.float32(scale), zero_point
    return network.add(
        'DequantizeLinear', network.add('QuantizeLinear', source, *numbers), *numbers
    )


def weights_of_8_bits(network, *shape):
    """Weights with a scale for each channel, taken back by a node."""
    weights, scale = network.normal(*shape), np.full(shape[0], 0.01, np.float32)
    scale[0] = 0.02
    stored = np.clip(np.rint(weights / scale.reshape(-1, 1, 1, 1)), -127, 127).astype(np.int8)
    zero_points = np.zeros(shape[0], np.int8)
    return network.add('DequantizeLinear', stored, scale, zero_points, axis=0)


def test_a_network_quantised_to_8_bits_is_dequantised(folder):
    network = OnnxNetwork()
    source = quantised(network, 'image', 0.03, np.uint8(128))
    source = network.add('Conv', source, weights_of_8_bits(network, 4, 3, 3, 3))
    source = quantised(network, source, 0.004, np.uint8(0))
    source = network.add('Conv', source, weights_of_8_bits(network, 4, 4, 3, 3))
    source = quantised(network, network.add('Relu', source), 0.02, np.int8(-128))
    model = network.model(network.head(source, 4), opset=QUANTISED)
    analog, images = read(model, folder), network.images()
    assert analog.ceilings == pytest.approx((0.004 * 255, np.inf))
    found = analog.answer(images.transpose(0, 2, 3, 1))
    np.testing.assert_allclose(found, answers(model, images)[0], atol=0.05)


def test_quantised_convolutions_are_dequantised(folder):
    network = OnnxNetwork()
    scale, zero = np.float32(0.03), np.uint8(128)
    image = network.add('QuantizeLinear', 'image', scale, zero)
    weights = network.random.integers(-90, 90, (4, 3, 3, 3)).astype(np.int8)
    steps, zeros = np.full(4, 0.004, np.float32), np.zeros(4, np.int8)
    bias = network.random.integers(-900, 900, 4).astype(np.int32)
    given = (scale, zero, weights, steps, zeros, np.float32(0.01), np.uint8(0), bias)
    source = network.add('QLinearConv', image, *given)
    source = network.add('DequantizeLinear', source, np.float32(0.01), np.uint8(0))
    model = network.model(network.head(source, 4), opset=QUANTISED)
    analog, images = read(model, folder), network.images()
    assert analog.ceilings == pytest.approx((2.55,))
    found = analog.answer(images.transpose(0, 2, 3, 1))
    np.testing.assert_allclose(found, answers(model, images)[0], atol=0.05)


def test_the_metadata_of_a_file_say_how_images_are_prepared(folder):
    network = OnnxNetwork()
    source = network.add('Relu', network.convolution('image', 3, 4))
    model = network.model(network.head(source, 4))
    assert read(model, folder).mean is None
    pairs = {'Image.BitmapPixelFormat': 'Bgr8', 'Image.NominalPixelRange': 'Normalized_1_1'}
    onnx.helper.set_model_props(model, pairs)
    analog = read(model, folder)
    assert (analog.mean, analog.deviation, analog.bgr) == ((0.5,), (0.5,), True)


def test_average_pooling_belongs_to_the_layer_behind_it(folder):
    network = OnnxNetwork((3, 9, 9))
    source = network.add('Relu', network.convolution('image', 3, 4))
    source = network.add('AveragePool', source, kernel_shape=[2, 2], strides=[2, 2])
    source = network.add('Relu', network.convolution(source, 4, 4, 1))
    analog = assert_same_answers(network, network.head(source, 4), folder)
    assert analog.layers[:3] == (Convolution(4, 3), AveragePooling(2), Convolution(4, 1))


def test_half_precision_is_read(folder):
    network = OnnxNetwork()
    weights = network.normal(4, 3, 3, 3)
    constant = network.add('Cast', weights.astype(np.float16), to=1)
    source = network.add('Relu', network.add('Conv', 'image', constant))
    assert_same_answers(network, network.head(source, 4), folder)
