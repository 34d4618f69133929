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

"""ONNX files that are damaged, hostile or of networks that cannot be spiked: one sentence."""

from __future__ import annotations

import random
import sys

import numpy as np
import pytest
from optional import library
from refused_files import is_read, refusal
from spoilt_files import change_letters, little_memory

from snn_perception.interchange.analog import read_analog

onnx = library('onnx')
from onnx import TensorProto, helper  # noqa: E402
from onnx_networks import OnnxNetwork  # noqa: E402


def written(folder, content):
    path = folder / 'network.onnx'
    path.write_bytes(content if isinstance(content, bytes) else content.SerializeToString())
    return path


def usual():
    """A network with a layer of neurons, and its last node, a softmax."""
    network = OnnxNetwork()
    source = network.add('Relu', network.convolution('image', 3, 4))
    return network, network.add('Softmax', network.head(source, 4))


@pytest.fixture
def model():
    network, output = usual()
    return network.model(output)


def rectified(network):
    return network.add('Relu', network.convolution('image', 3, 4))


def refused_node(folder, network, source, channels=4):
    """Why a network that goes on behind `source` is refused."""
    return refusal(written(folder, network.model(network.head(source, channels))))


@pytest.mark.parametrize(
    ('operator', 'options', 'advice'),
    [
        ('MaxPool', {'kernel_shape': [2, 2]}, 'average pooling or a strided convolution'),
        ('GlobalMaxPool', {}, 'average pooling or a strided convolution'),
        ('Sigmoid', {}, 'replace it by ReLU or ReLU6'),
        ('HardSwish', {}, 'replace it by ReLU or ReLU6'),
        ('LeakyRelu', {}, 'replace it by ReLU or ReLU6'),
        ('Elu', {}, 'replace it by ReLU or ReLU6'),
        ('LRN', {'size': 3}, 'replace it by batch normalisation'),
        ('Det', {}, 'this operator is not read'),
    ],
)
def test_what_cannot_be_spiked_is_named_with_what_to_do(tmp_path, operator, options, advice):
    network = OnnxNetwork()
    source = network.add(operator, rectified(network), **options)
    sentence = refused_node(tmp_path, network, source)
    assert sentence.startswith(f"node 2 '{operator.lower()}_2' ({operator}) cannot be spiked: ")
    assert advice in sentence
    assert 'train again' in sentence


REFUSED = {
    'a recurrent layer': (
        lambda network, source: network.add('LSTM', source, network.normal(1, 16, 4)),
        'only feedforward networks',
    ),
    'a concatenation': (
        lambda network, source: network.add('Concat', source, source, axis=1),
        'branches can only be added',
    ),
    'squeeze and excite': (
        lambda network, source: network.add(
            'Mul', source, network.add('GlobalAveragePool', source)
        ),
        'multiplies two maps: squeeze-and-excite',
    ),
    'a dilation': (
        lambda network, source: network.convolution(source, 4, 4, dilations=[2, 2]),
        'dilation of [2, 2]',
    ),
    'windows that overlap': (
        lambda network, source: network.add(
            'AveragePool', source, kernel_shape=[3, 3], strides=[2, 2]
        ),
        'which overlap',
    ),
    'padding before averaging': (
        lambda network, source: network.add(
            'AveragePool', source, kernel_shape=[2, 2], strides=[2, 2], pads=[1, 1, 1, 1]
        ),
        'pads before it averages',
    ),
    'averaging without a rectifier': (
        lambda network, source: network.add(
            'AveragePool',
            network.convolution(source, 4, 4),
            kernel_shape=[2, 2], strides=[2, 2],
        ),
        'averages what a convolution gives without a rectifier: put a ReLU',
    ),
    'two convolutions without a rectifier': (
        lambda network, source: network.convolution(network.convolution(source, 4, 4), 4, 4),
        'reads a convolution without a rectifier between them',
    ),
    'a bias behind which is padded': (
        lambda network, source: network.convolution(
            network.normalisation(source, 4), 4, 4, pads=[1] * 4
        ),
        'so that the border cannot be exact',
    ),
    'a softmax in the middle': (
        lambda network, source: network.convolution(network.add('Softmax', source), 4, 4),
        'comes after a softmax',
    ),
    'a clip from below 0': (
        lambda network, source: network.add(
            'Clip', network.convolution(source, 4, 4), np.float32(-1), np.float32(1)
        ),
        'clips from -1.0 on',
    ),
    'a mean over channels': (
        lambda network, source: network.add('ReduceMean', source, axes=[1]),
        'averages over channels',
    ),
    'padding by mirroring': (
        lambda network, source: network.add(
            'Pad', source, np.array([0, 0, 1, 1, 0, 0, 1, 1]), mode='reflect'
        ),
        'pads with other values than 0',
    ),
    'a shuffle of channels': (
        lambda network, source: network.add('Reshape', source, np.array([1, 2, 2, 6, 6])),
        'networks that shuffle them',
    ),
    'a map of constants': (
        lambda network, source: network.add('Add', source, network.normal(1, 4, 6, 6)),
        'one number, or one for each channel',
    ),
    'weights that are no numbers': (
        lambda network, source: network.add(
            'Conv', source, np.full((4, 4, 1, 1), np.nan, np.float32)
        ),
        'has weights with values that are not finite',
    ),
    'an infinite bias': (
        lambda network, source: network.add(
            'Conv', source, network.normal(4, 4, 1, 1), np.full(4, np.inf, np.float32)
        ),
        'has a bias with values that are not finite',
    ),
    'a negative variance': (
        lambda network, source: network.add(
            'BatchNormalization', source, *[np.full(4, -1, np.float32)] * 4
        ),
        'has factors with values that are not finite',
    ),
    'weights for other channels': (
        lambda network, source: network.convolution(source, 5, 4),
        'do not fit 4 channels',
    ),
    'groups that do not divide': (
        lambda network, source: network.add('Conv', source, network.normal(4, 1, 1, 1), group=3),
        'groups of a convolution must divide',
    ),
    'a kernel larger than the map': (
        lambda network, source: network.convolution(source, 4, 4, 9),
        'leaves nothing of a map',
    ),
    'weights that are computed from the image': (
        lambda network, source: network.add('Conv', source, source),
        'computes its input 1 from the image',
    ),
    'a stride of 0': (
        lambda network, source: network.convolution(source, 4, 4, strides=[0, 0]),
        'has strides [0, 0]',
    ),
    'an attribute of another type': (
        lambda network, source: network.add('Flatten', source, axis='soon'),
        'does not fit together',
    ),
    'an input that nobody gives': (
        lambda network, source: network.add('Relu', 'nothing'),
        "reads 'nothing', which no earlier node gives",
    ),
    'a loop': (
        lambda network, source: network.add('Add', source, f'value{len(network.nodes)}'),
        'damaged or has a loop',
    ),
}  # fmt: skip


@pytest.mark.parametrize('what', REFUSED)
def test_refused_is(tmp_path, what):
    change, message = REFUSED[what]
    network = OnnxNetwork()
    sentence = refused_node(tmp_path, network, change(network, rectified(network)))
    assert message in sentence
    assert sentence.startswith('node ')


def test_an_operator_of_another_domain_is_refused(tmp_path):
    network = OnnxNetwork()
    source = network.add('QLinearAdd', rectified(network), domain='com.microsoft')
    assert 'com.microsoft.QLinearAdd' in (sentence := refused_node(tmp_path, network, source))
    assert 'format QDQ' in sentence


def test_a_file_that_does_not_exist_or_has_another_name_is_refused(tmp_path, model):
    assert refusal(tmp_path / 'none.onnx') == 'is no file'
    assert refusal(tmp_path) == 'is no file'
    path = tmp_path / 'network.pb'
    path.write_bytes(model.SerializeToString())
    assert 'names that end with .onnx' in refusal(path)


def test_a_missing_library_is_named_with_the_command_that_installs_it(
    tmp_path, model, monkeypatch
):
    monkeypatch.setitem(sys.modules, 'onnx', None)
    sentence = refusal(written(tmp_path, model))
    assert 'an ONNX file needs onnx, which is not installed: pip install onnx ' in sentence


@pytest.mark.parametrize('content', [b'', b'no ONNX at all', bytes(5000), b'\xff' * 5000])
def test_what_is_no_onnx_file_is_refused(tmp_path, content):
    assert 'no ONNX file' in refusal(written(tmp_path, content))


def test_weights_in_another_file_are_refused_with_how_to_save_them_in_one(tmp_path, model):
    onnx.save(model, tmp_path / 'apart.onnx', save_as_external_data=True, size_threshold=0)
    sentence = refusal(tmp_path / 'apart.onnx')
    assert 'in another file' in sentence
    assert 'onnx.save(' in sentence


@pytest.mark.parametrize('version', [0, 6, 99, 2**40])
def test_operators_of_an_unknown_version_are_refused(tmp_path, model, version):
    model.opset_import[0].version = version
    assert f'uses opset {version}' in refusal(written(tmp_path, model))


def test_a_format_that_is_too_new_is_refused(tmp_path, model):
    model.ir_version = 99
    assert 'version 99 of the format' in refusal(written(tmp_path, model))


@pytest.mark.parametrize(
    ('shape', 'message'),
    [
        ((1, 3, 'height', 'width'), 'the shape (1, 3, ?, ?), which is not fixed'),
        ((8, 3, 8, 8), 'the shape (8, 3, 8, 8), which is not fixed for one image'),
        ((1, 3, 8), 'must be one image (1, channels, height, width)'),
        ((1, 4, 8, 8), 'has 4 channels, and images have 1 (grey) or 3 (RGB)'),
        ((1, 3, 2**20, 2**20), 'absurdly large'),
        ((1, 3, 0, 8), 'not fixed'),
        ((1, 3, -8, 8), 'not fixed'),
    ],
)  # fmt: skip
def test_inputs_that_are_not_one_image_of_a_fixed_size_are_refused(
    tmp_path, model, shape, message
):
    info = helper.make_tensor_value_info('image', TensorProto.FLOAT, shape)
    model.graph.input[0].CopyFrom(info)
    assert message in refusal(written(tmp_path, model))


def test_several_inputs_or_outputs_are_refused_with_their_names(tmp_path, model):
    path = written(tmp_path, model)
    model.graph.input.append(helper.make_tensor_value_info('depth', TensorProto.FLOAT, [1]))
    assert "has 2 inputs ('image', 'depth'), and must have one" in refusal(
        written(tmp_path, model)
    )
    model = onnx.load(path)
    del model.graph.input[1:]
    model.graph.output.append(model.graph.output[0])
    assert 'has 2 outputs' in refusal(written(tmp_path, model))


def test_an_output_that_is_no_list_of_scores_is_refused(tmp_path):
    network = OnnxNetwork()
    model = network.model(rectified(network))
    sentence = refusal(written(tmp_path, model))
    assert (
        'the output has the shape (1, 4, 6, 6), and must be one score for each class' in sentence
    )


def test_an_output_that_does_not_depend_on_the_image_is_refused(tmp_path):
    network = OnnxNetwork()
    output = network.add('Identity', network.normal(1, 4))
    assert 'does not depend on its input' in refusal(written(tmp_path, network.model(output)))


def test_nodes_that_the_output_does_not_need_do_no_harm(tmp_path):
    network, output = usual()
    network.add('MaxPool', 'image', kernel_shape=[2, 2])
    analog = read_analog(written(tmp_path, network.model(output)))
    assert analog.fates[-1].outcome == 'left out: no output needs it'


@pytest.mark.parametrize('dims', [[2**31, 2**31], [2**62], [-1, 4], [4, 3, 3, 2**30]])
def test_weights_of_absurd_sizes_are_refused_before_memory_is_taken(tmp_path, model, dims):
    del model.graph.initializer[0].dims[:]
    model.graph.initializer[0].dims.extend(dims)
    path = written(tmp_path, model)
    with little_memory():
        assert 'node 0' in refusal(path)


def varint(number):
    rest = [number >> shift & 127 for shift in range(0, 63, 7)]
    while len(rest) > 1 and not rest[-1]:
        rest.pop()
    return bytes([*(each | 128 for each in rest[:-1]), rest[-1]])


def part(field, content):
    """A field of a protocol buffer."""
    return bytes([field << 3 | 2]) + varint(len(content)) + content


@pytest.mark.parametrize('field', [1, 13])
def test_millions_of_empty_parts_are_refused_before_memory_is_taken(tmp_path, field):
    path = written(tmp_path, part(7, part(field, b'') * 12_000_000))
    with little_memory():
        assert 'allowed' in refusal(path)


def test_large_files_are_refused_before_they_are_read(tmp_path):
    path = tmp_path / 'network.onnx'
    with path.open('wb') as file:
        file.truncate(2**31)
    with little_memory():
        assert 'is larger than the' in refusal(path)


def test_constants_that_grow_are_refused_before_memory_is_taken(tmp_path):
    network = OnnxNetwork()
    rows, columns = np.ones((1, 10**6), np.float32), np.ones((10**6, 1), np.float32)
    source = network.add('Add', rectified(network), network.add('Mul', rows, columns))
    path = written(tmp_path, network.model(network.head(source, 4)))
    with little_memory():
        assert 'more than the' in refusal(path)


def test_sums_that_double_are_refused_in_no_time(tmp_path):
    network = OnnxNetwork()
    source = network.convolution(rectified(network), 4, 4)
    for _ in range(60):
        source = network.add('Add', source, source)
    assert 'adds up more than 200 branches' in refused_node(tmp_path, network, source)


def test_compositions_that_grow_are_refused_before_memory_is_taken(tmp_path):
    network = OnnxNetwork()
    source = rectified(network)
    narrow = network.convolution(source, 4, 1, 1)
    wide = np.ones((60_000, 1, 1, 1), np.float32)
    for _ in range(2):
        flat = network.add('Conv', narrow, wide)
        narrow = network.add('Conv', network.add('Relu', flat), wide.reshape(1, -1, 1, 1))
    flat = network.add('Conv', narrow, wide)
    path = written(tmp_path, network.model(network.head(network.add('Relu', flat), 60_000)))
    assert 'more than the' in refusal(path)


def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path, model):
    content = model.SerializeToString()
    lengths = range(0, len(content), 7)
    read = [is_read(written(tmp_path, content[:length])) for length in lengths]
    assert not any(read[: len(read) * 9 // 10])


def test_a_spoilt_file_is_refused_or_read_but_never_brings_us_down(tmp_path):
    network, output = usual()
    content = network.model(output).SerializeToString()
    read = 0
    with little_memory():
        for seed in range(300):
            spoilt = change_letters(content, random.Random(seed))
            read += is_read(written(tmp_path, spoilt))
    assert 0 < read < 300
