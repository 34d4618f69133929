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

"""TFLite files that are damaged, hostile or of networks that cannot be spiked: one sentence."""

from __future__ import annotations

import random
import struct
import sys

import numpy as np
import pytest
from optional import library
from refused_files import is_read, refusal
from spoilt_files import change_letters, little_memory

from snn_perception.interchange.analog import read_analog

library('tflite')
from tflite_networks import RELU, SAME, TfliteNetwork  # noqa: E402


def written(folder, network):
    path = folder / 'network.tflite'
    path.write_bytes(network if isinstance(network, bytes) else network.content())
    return path


def weights(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def rectified(network, **options):
    """Append a layer of neurons of the shape (6, 6, 4)."""
    options = {'FusedActivationFunction': RELU} | options
    return network.convolution(0, weights(4, 3, 3, 3), weights(4), (6, 6, 4), **options)


def finished(network, source=None):
    """Append the usual end to a map of 4 channels."""
    axes = np.array([1, 2], np.int32)
    source = network.outputs[0] if source is None else source
    pooled = network.add('MEAN', [source, axes], (1, 4), 'ReducerOptions')
    scores = network.add('FULLY_CONNECTED', [pooled, weights(3, 4), -1], (1, 3))
    network.add('SOFTMAX', [scores], (1, 3))
    return network


@pytest.fixture
def network():
    network = TfliteNetwork()
    rectified(network)
    return finished(network)


def test_the_network_of_these_tests_is_read_as_it_is(network, tmp_path):
    assert is_read(written(tmp_path, network))


@pytest.mark.parametrize(
    ('operator', 'advice'),
    [
        ('MAX_POOL_2D', 'average pooling or a strided convolution'),
        ('L2_POOL_2D', 'average pooling or a strided convolution'),
        ('LOGISTIC', 'replace it by ReLU or ReLU6'),
        ('HARD_SWISH', 'replace it by ReLU or ReLU6'),
        ('LEAKY_RELU', 'replace it by ReLU or ReLU6'),
        ('PRELU', 'replace it by ReLU or ReLU6'),
        ('RELU_N1_TO_1', 'replace it by ReLU or ReLU6'),
        ('CONCATENATION', 'branches can only be added'),
        ('UNIDIRECTIONAL_SEQUENCE_LSTM', 'only feedforward networks'),
        ('RESIZE_BILINEAR', 'maps can only be made smaller'),
        ('BATCH_MATMUL', 'squeeze-and-excite and attention cannot be spiked'),
        ('STABLEHLO_ADD', 'this operator is not read'),
        ('CUSTOM', 'this operator is not read'),
    ],
)
def test_what_cannot_be_spiked_is_named_with_what_to_do(tmp_path, operator, advice):
    network = TfliteNetwork()
    network.add(operator, [rectified(network)], (1, 6, 6, 4))
    sentence = refusal(written(tmp_path, finished(network)))
    assert sentence.startswith(f"node 1 'value1' ({operator}) cannot be spiked: ")
    assert advice in sentence
    assert 'train again' in sentence


REFUSED = {
    'a dilation': (
        lambda network, source: network.convolution(
            *(source, weights(4, 3, 3, 4), weights(4), (2, 2, 4)), DilationHFactor=2
        ),
        'dilation of 2x1',
    ),
    'a fused tanh': (
        lambda network, source: network.convolution(
            *(source, weights(4, 1, 1, 4), weights(4), (6, 6, 4)), FusedActivationFunction=4
        ),
        'fused tanh',
    ),
    'windows that overlap': (
        lambda network, source: network.add(
            *('AVERAGE_POOL_2D', [source], (1, 2, 2, 4), 'Pool2DOptions'),
            FilterHeight=3, FilterWidth=2, StrideH=2, StrideW=2, Padding=1,
        ),
        'which overlap',
    ),
    'windows of no size': (
        lambda network, source: network.add(
            'AVERAGE_POOL_2D', [source], (1, 2, 2, 4), 'Pool2DOptions', FilterHeight=0
        ),
        'has windows of',
    ),
    'padding before averaging': (
        lambda network, source: network.add(
            *('AVERAGE_POOL_2D', [source], (1, 2, 2, 4), 'Pool2DOptions'),
            FilterHeight=4, FilterWidth=4, StrideH=4, StrideW=4, Padding=SAME,
        ),
        'pads before it averages',
    ),
    'squeeze and excite': (
        lambda network, source: network.add(
            'MUL', [source, source], (1, 6, 6, 4), 'MulOptions'
        ),
        'multiplies two maps: squeeze-and-excite',
    ),
    'padding of channels': (
        lambda network, source: network.add(
            'PAD', [source, np.array([[0, 0], [0, 0], [0, 0], [1, 1]], np.int32)], (1, 6, 6, 6)
        ),
        'pad rows and columns of a map only',
    ),
    'infinite weights': (
        lambda network, source: network.convolution(
            source, weights(4, 1, 1, 4) * np.float32(np.inf), weights(4), (6, 6, 4)
        ),
        'has weights with values that are not finite',
    ),
    'a bias that is no number': (
        lambda network, source: network.convolution(
            source, weights(4, 1, 1, 4), np.full(4, np.nan, np.float32), (6, 6, 4)
        ),
        'has a bias with values that are not finite',
    ),
    'weights for other channels': (
        lambda network, source: network.convolution(
            source, weights(4, 1, 1, 3), weights(4), (6, 6, 4)
        ),
        'do not fit 4 channels',
    ),
    'a bias of another size': (
        lambda network, source: network.convolution(
            source, weights(4, 1, 1, 4), weights(3), (6, 6, 4)
        ),
        'has 3 biases for 4 channels',
    ),
    'a stride of 0': (
        lambda network, source: network.convolution(
            source, weights(4, 1, 1, 4), weights(4), (6, 6, 4), stride=0
        ),
        'stride of a convolution must be between 1 and',
    ),
    'weights from the image': (
        lambda network, source: network.convolution(source, source, -1, (6, 6, 4)),
        'as a constant',
    ),
    'a loop': (
        lambda network, source: network.add(
            'ADD', [source, len(network.tensors)], (1, 6, 6, 4), 'AddOptions'
        ),
        'damaged or has a loop',
    ),
    'a tensor that is not there': (
        lambda network, source: network.add(
            'ADD', [source, 1000], (1, 6, 6, 4), 'AddOptions'
        ),
        'refers to tensor 1000, and there is none',
    ),
    'options of another operator': (
        lambda network, source: network.add(
            'ADD', [source, source], (1, 6, 6, 4), 'Pool2DOptions', StrideH=1
        ),
        'has options of another operator',
    ),
}  # fmt: skip


@pytest.mark.parametrize('what', REFUSED)
def test_refused_is(tmp_path, what):
    change, message = REFUSED[what]
    network = TfliteNetwork()
    change(network, rectified(network))
    sentence = refusal(written(tmp_path, finished(network)))
    assert sentence.startswith('node ')
    assert message in sentence


def test_a_missing_library_is_named_with_the_command_that_installs_it(
    tmp_path, network, monkeypatch
):
    path = written(tmp_path, network)
    monkeypatch.setitem(sys.modules, 'tflite', None)
    assert 'a TFLite file needs tflite, which is not installed: pip install tflite ' in refusal(
        path
    )


@pytest.mark.parametrize('content', [b'', b'TFL3', bytes(5000), b'\xff' * 5000])
def test_what_is_no_tflite_file_is_refused(tmp_path, content):
    assert 'is no TFLite file' in refusal(written(tmp_path, content))


def test_unknown_versions_of_the_schema_are_refused(tmp_path, network):
    network.version = 4
    assert 'has version 4 of the TFLite schema, and only 3 is known' in refusal(
        written(tmp_path, network)
    )
    network.identifier = b'TFL4'
    assert 'no TFLite file of version 3' in refusal(written(tmp_path, network))


@pytest.mark.parametrize(
    ('shape', 'signature', 'message'),
    [
        ((1, 8, 8, 3), (1, -1, -1, 3), 'the shape (1, -1, -1, 3), which is not fixed'),
        ((4, 8, 8, 3), (), 'the shape (4, 8, 8, 3), which is not fixed for one image'),
        ((1, 8, 8), (), 'must be one image (1, height, width, channels)'),
        ((1, 8, 8, 4), (), 'has 4 channels, and images have 1 (grey) or 3 (RGB)'),
        ((1, 2**20, 2**20, 3), (), 'absurdly large'),
        ((1, -8, 8, 3), (), 'damaged'),
    ],
)
def test_inputs_that_are_not_one_image_of_a_fixed_size_are_refused(
    tmp_path, network, shape, signature, message
):
    network.tensors[0].shape, network.tensors[0].signature = shape, signature
    assert message in refusal(written(tmp_path, network))


def test_several_inputs_or_outputs_are_refused_with_their_names(tmp_path, network):
    network.inputs = [0, 1]
    assert "has 2 inputs ('image', 'constant1'), and must have one" in refusal(
        written(tmp_path, network)
    )
    network.inputs, network.outputs = [0], []
    assert 'has 0 outputs' in refusal(written(tmp_path, network))


def test_constants_that_do_not_fill_their_shape_are_refused(tmp_path, network):
    network.tensors[1].shape = (4, 3, 3, 2**20)
    with little_memory():
        assert "'constant1' of the shape (4, 3, 3, 1048576) with 432 bytes" in refusal(
            written(tmp_path, network)
        )


def test_scales_that_do_not_fit_are_refused(tmp_path, network):
    network.tensors[1].scale, network.tensors[1].zero_point = (0.1, 0.2, 0.3), (0, 0, 0)
    assert 'with 3 scales for its dimension 0' in refusal(written(tmp_path, network))
    network.tensors[1].scale = (0.1, float('nan'), 0.3, 0.4)
    assert 'a scale that is not positive and finite' in refusal(written(tmp_path, network))


def test_types_that_are_not_read_are_refused(tmp_path, network):
    network.tensors[1].type = 'COMPLEX64'
    assert "'constant1' of the type COMPLEX64, which is not read" in refusal(
        written(tmp_path, network)
    )


def test_nodes_that_the_output_does_not_need_do_no_harm(tmp_path, network):
    outputs = network.outputs
    network.add('MAX_POOL_2D', [0], (1, 4, 4, 3))
    network.outputs = outputs
    analog = read_analog(written(tmp_path, network))
    assert analog.fates[-1].outcome == 'left out: no output needs it'


def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path, network):
    content = network.content()
    for length in range(0, len(content), 5):
        assert not is_read(written(tmp_path, content[:length]))


def test_offsets_that_point_anywhere_are_refused_or_read_in_little_memory(tmp_path, network):
    content = network.content()
    chance, read = random.Random(0), 0
    with little_memory():
        for _ in range(300):
            spoilt = bytearray(content)
            place = 4 * chance.randrange(2, len(content) // 4)
            values = [0, 4, 2**31 - 1, 2**32 - 1, 2**20, chance.randrange(len(content))]
            struct.pack_into('<I', spoilt, place, chance.choice(values))
            read += is_read(written(tmp_path, bytes(spoilt)))
    assert 0 < read < 300


def test_a_spoilt_file_is_refused_or_read_but_never_brings_us_down(tmp_path, network):
    content, read = network.content(), 0
    with little_memory():
        for seed in range(300):
            read += is_read(written(tmp_path, change_letters(content, random.Random(seed))))
    assert 0 < read < 300
