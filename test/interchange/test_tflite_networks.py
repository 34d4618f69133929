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

"""What is read from TFLite files, float and quantised, answers as the same network in ONNX."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optional import library

from snn_perception.images import Preprocessing, prepare, read_image
from snn_perception.interchange.analog import read_analog
from snn_perception.layers import Convolution, Dense, GlobalAveragePooling, Identity, Sum
from snn_perception.locations import share_directory

library('tflite')
library('onnx')
from onnx_networks import OnnxNetwork, answers  # noqa: E402
from tflite_networks import NONE, RELU, RELU6, SAME, VALID, TfliteNetwork  # noqa: E402

PHOTOGRAPHS = share_directory() / 'resource' / 'images' / 'everyday'
MOBILENETS = Path(__file__).parents[3] / 'shared' / 'data' / 'mobilenet'


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('tflite')


def read(network, folder):
    path = folder / 'network.tflite'
    path.write_bytes(network.content())
    return read_analog(path)


def assert_same_answers(analog, network, output, tolerance=1e-4):
    """What was read answers as the `output` of an ONNX network."""
    images = network.images()
    [expected] = answers(network.model(output), images)
    found = analog.answer(images.transpose(0, 2, 3, 1))
    np.testing.assert_allclose(found, expected.reshape(len(found), -1), atol=tolerance)


def after(size, kernel, stride, padding):
    """Size of a map behind a convolution."""
    return -(-size // stride) if padding == SAME else (size - kernel) // stride + 1


@given(data=st.data())
@settings(deadline=None, max_examples=30)
def test_a_network_of_all_operators_answers_as_the_same_in_onnx(folder, data):
    height, width, channels = (data.draw(st.integers(*ends)) for ends in ((6, 9), (6, 9), (1, 3)))
    channels = 1 if channels == 2 else channels
    stride, padding = data.draw(st.integers(1, 2)), data.draw(st.sampled_from([SAME, VALID]))
    other = OnnxNetwork((channels, height, width), data.draw(st.integers(0, 9)))
    ours = TfliteNetwork((height, width, channels))
    size = after(height, 3, stride, padding), after(width, 3, stride, padding)
    options = {'strides': [stride] * 2, 'auto_pad': 'SAME_UPPER' if padding == SAME else 'VALID'}

    weights, bias = other.normal(4, channels, 3, 3), other.normal(4)
    first = ours.convolution(
        *(0, weights.transpose(0, 2, 3, 1), bias, (*size, 4)),
        Padding=padding,
        stride=stride,
        FusedActivationFunction=RELU6,
    )
    theirs = other.add('Conv', 'image', weights, bias, **options)
    theirs = other.add('Clip', theirs, np.float32(0), np.float32(6))

    weights, bias = other.normal(4, 1, 3, 3), other.normal(4)
    second = ours.convolution(
        *(first, weights.transpose(1, 2, 3, 0), bias, (*size, 4)),
        Padding=SAME,
        DepthMultiplier=1,
        depthwise=True,
    )
    convolved = other.add('Conv', theirs, weights, bias, group=4, auto_pad='SAME_UPPER')
    ours.add('ADD', [second, first], (1, *size, 4), 'AddOptions', FusedActivationFunction=RELU)
    theirs = other.add('Relu', other.add('Add', convolved, theirs))

    margins = np.array([[0, 0], [1, 0], [2, 1], [0, 0]], np.int32)
    size = size[0] + 1, size[1] + 3
    ours.add('PAD', [ours.outputs[0], margins], (1, *size, 4), 'PadOptions')
    weights, bias = other.normal(6, 2, 2, 2), other.normal(6)
    size = size[0] - 1, size[1] - 1
    last = ours.convolution(
        *(ours.outputs[0], weights.transpose(0, 2, 3, 1), bias, (*size, 6)),
        FusedActivationFunction=RELU,
    )
    theirs = other.add(
        'Relu', other.add('Conv', theirs, weights, bias, group=2, pads=[1, 2, 0, 1])
    )

    if data.draw(st.booleans()):
        axes = np.array([1, 2], np.int32)
        flat = ours.add('MEAN', [last, axes], (1, 6), 'ReducerOptions', KeepDims=False)
        theirs, inputs = other.add('ReduceMean', theirs, axes=[2, 3], keepdims=0), 6
    else:
        inputs = size[0] * size[1] * 6
        flat = ours.add('RESHAPE', [last, np.array([-1, inputs], np.int32)], (1, inputs))
        theirs = other.add('Flatten', other.add('Transpose', theirs, perm=[0, 2, 3, 1]))
    weights, bias = other.normal(5, inputs), other.normal(5)
    scores = ours.add('FULLY_CONNECTED', [flat, weights, bias], (1, 5), 'FullyConnectedOptions')
    ours.add('SOFTMAX', [scores], (1, 5), 'SoftmaxOptions', Beta=1.0)
    output = other.add('Gemm', theirs, weights, bias, transB=1)

    analog = read(ours, folder)
    assert_same_answers(analog, other, output)
    assert analog.ceilings == (6, np.inf, np.inf)
    assert analog.layers[1] == Sum((Convolution(4, 3, padding=1, groups=4), Identity(1.0)))
    assert analog.mean is None


def quantised(values, scale, zero_point, kind):
    """`values` as they are stored, and as they are then."""
    limits = np.iinfo(kind)
    shape = (-1, *[1] * (values.ndim - 1))
    scale, zero = (np.array(each).reshape(shape) for each in (scale, zero_point))
    stored = np.clip(np.rint(values / scale + zero), limits.min, limits.max).astype(kind)
    return stored, ((stored.astype(np.float64) - zero) * scale).astype(np.float32)


@pytest.mark.parametrize(
    ('kind', 'scale', 'zero_point'),
    [('uint8', (0.01,), (120,)), ('int8', (0.01, 0.02, 0.005, 0.01), (0, 0, 0, 0))],
)
def test_weights_of_8_bits_are_dequantised(folder, kind, scale, zero_point):
    other = OnnxNetwork((3, 8, 8))
    lowest = 0 if kind == 'uint8' else -128
    ours = TfliteNetwork(type=kind.upper(), scale=(0.02,), zero_point=(lowest + 128,))
    stored, weights = quantised(other.normal(4, 3, 3, 3), scale, zero_point, kind)
    number = ours.constant(
        stored.transpose(0, 2, 3, 1), scale=scale, zero_point=zero_point, axis=0
    )
    bias, steps = np.array([100, -2000, 0, 70000], np.int32), tuple(0.02 * np.array(scale))
    bias_number = ours.constant(bias, scale=steps, zero_point=(0,) * len(steps))
    output = {'type': kind.upper(), 'scale': (0.04,), 'zero_point': (lowest,)}
    source = ours.convolution(0, number, bias_number, (6, 6, 4), FusedActivationFunction=NONE)
    vars(ours.tensors[source]).update(output)
    ours.add('MEAN', [source, np.array([1, 2], np.int32)], (1, 4), 'ReducerOptions')
    last = other.normal(3, 4)
    ours.add('FULLY_CONNECTED', [ours.outputs[0], last, -1], (1, 3), 'FullyConnectedOptions')
    analog = read(ours, folder)

    theirs = other.add('Conv', 'image', weights, (bias * np.array(steps)).astype(np.float32))
    ceiling = np.float32(0.04 * 255)
    theirs = other.add('Clip', theirs, np.float32(0), ceiling)
    theirs = other.add('ReduceMean', theirs, axes=[2, 3], keepdims=0)
    assert_same_answers(analog, other, other.add('Gemm', theirs, last, transB=1))
    assert analog.ceilings == pytest.approx((ceiling,))
    assert (*analog.mean, *analog.deviation) == pytest.approx((128 / 255, 1 / (255 * 0.02)))


def test_weights_of_half_precision_are_read(folder):
    other, ours = OnnxNetwork((3, 8, 8)), TfliteNetwork()
    weights = other.normal(4, 3, 3, 3).astype(np.float16)
    number = ours.add('DEQUANTIZE', [weights.transpose(0, 2, 3, 1).copy()], (4, 3, 3, 3))
    source = ours.convolution(
        0, number, other.normal(4) * 0, (6, 6, 4), FusedActivationFunction=RELU
    )
    axes = np.array([1, 2], np.int32)
    source = ours.add('MEAN', [source, axes], (1, 1, 1, 4), 'ReducerOptions', KeepDims=True)
    last = other.normal(2, 4)
    ours.convolution(source, last.reshape(2, 1, 1, 4), np.zeros(2, np.float32), (1, 1, 2))
    analog = read(ours, folder)
    theirs = other.add('Relu', other.add('Conv', 'image', weights.astype(np.float32)))
    theirs = other.add('ReduceMean', theirs, axes=[2, 3], keepdims=0)
    assert_same_answers(analog, other, other.add('Gemm', theirs, last, transB=1))
    assert analog.layers == (Convolution(4, 3), GlobalAveragePooling(), Dense(2))


def test_scaling_of_levels_inside_the_network_becomes_preprocessing(folder):
    ours, random = TfliteNetwork(), np.random.default_rng(0)
    scaled = ours.add('MUL', [0, np.float32([1 / 127.5])], (1, 8, 8, 3), 'MulOptions')
    scaled = ours.add('SUB', [scaled, np.float32([1])], (1, 8, 8, 3), 'SubOptions')
    weights = random.normal(size=(4, 3, 3, 3)).astype(np.float32)
    source = ours.convolution(
        *(scaled, weights, np.zeros(4, np.float32), (8, 8, 4)),
        Padding=SAME,
        FusedActivationFunction=RELU,
    )
    ours.add('MEAN', [source, np.array([1, 2], np.int32)], (1, 4), 'ReducerOptions')
    ours.add('FULLY_CONNECTED', [ours.outputs[0], np.eye(4, dtype=np.float32), -1], (1, 4))
    analog = read(ours, folder)
    assert (*analog.mean, *analog.deviation) == pytest.approx((0.5, 0.5))


def test_a_batch_of_any_size_is_no_obstacle(folder):
    ours = TfliteNetwork(signature=(-1, 8, 8, 3))
    weights = np.ones((2, 8 * 8 * 3), np.float32)
    flat = ours.add('RESHAPE', [0, np.array([-1, 192], np.int32)], (1, 192))
    ours.add('FULLY_CONNECTED', [flat, weights, -1], (1, 2), 'FullyConnectedOptions')
    assert read(ours, folder).layers == (Dense(2),)


@pytest.fixture(params=['0.25_128', '0.5_160', '0.75_192'])
def mobilenet(request):
    """A MobileNetV1 of ImageNet with 8 bits, with the side of its images."""
    path = MOBILENETS / f'mobilenet_v1_{request.param}_quant.tflite'
    if not path.is_file():
        pytest.skip(f'{path.name} is not there')
    return read_analog(path), int(request.param.split('_')[1])


def test_mobilenets_of_8_bits_are_chains_of_28_layers(mobilenet):
    analog, size = mobilenet
    assert analog.input_shape == (size, size, 3)
    assert analog.ceilings == (6.0,) * 27
    assert [each.index for each in analog.network.populations] == list(range(28))
    channels = analog.weights[0].bias.size
    assert analog.layers[0] == Convolution(channels, 3, stride=2, padding=(0, 1, 0, 1))
    assert analog.layers[-2:] == (GlobalAveragePooling(), Dense(1001))
    assert (*analog.mean, *analog.deviation) == pytest.approx((128 / 255,) * 2)
    assert [fate.number for fate in analog.fates] == list(range(31))
    for weights in analog.weights:
        assert weights.kernel.dtype == np.float32
        assert 2 < np.unique(weights.kernel).size <= 256


def test_mobilenets_know_photographs(mobilenet):
    analog, _ = mobilenet
    labels = (MOBILENETS / 'imagenet_labels.txt').read_text(encoding='utf-8').splitlines()
    preprocessing = Preprocessing(analog.input_shape, analog.mean, analog.deviation)
    folders = [PHOTOGRAPHS / name for name in ('espresso', 'strawberry', 'airliner', 'viaduct')]
    paths = [path for folder in folders for path in sorted(folder.iterdir())]
    images = np.stack([prepare(read_image(path), preprocessing) for path in paths])
    found = [labels[index] for index in analog.answer(images).argmax(axis=1)]
    right = [label == path.parent.name for label, path in zip(found, paths, strict=True)]
    assert np.mean(right) > 0.7
