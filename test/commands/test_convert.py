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

"""`convert`: trained networks in files become models that all engines and tools take."""

from __future__ import annotations

import signal
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from analogs import STAGE, TINY, coloured_images
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from optional import library

from snn_perception import create_simulator, load_model
from snn_perception.commands import chip, convert, export
from snn_perception.images import read_image
from snn_perception.interchange.analog import read_analog
from snn_perception.model_file import read_description
from snn_perception.training.conversion_network import network_of
from snn_perception.training.conversion_recipe import Conversion
from snn_perception.training.converted import ConvertedNetwork
from snn_perception.training.distillation import relative_error
from snn_perception.training.fitting import fit
from snn_perception.training.loop import Trainer

onnx = library('onnx')
import torch  # noqa: E402
from onnx_networks import OnnxNetwork, answers  # noqa: E402

MOBILENET = Path(__file__).parents[3] / 'shared/data/mobilenet'
INPUT = ['--mean', '0.5', '--deviation', '0.25']


def every_operator(size: int = 8, channels: int = 4, seed: int = 0) -> tuple[OnnxNetwork, str]:
    """A network with every kind of operation that is read, and the name of its output."""
    network = OnnxNetwork((3, size, size), seed)
    both = channels, channels
    stem = network.convolution('image', 3, channels, pads=[1, 1, 1, 1])
    stem = network.add('Relu', network.normalisation(stem, channels))
    padded = network.add('Pad', stem, np.array([0, 0, 1, 1, 0, 0, 1, 1]))
    depthwise = network.convolution(padded, *both, group=channels)
    low, high = np.float32(0), np.float32(6)
    depthwise = network.add('Clip', network.add('Identity', depthwise), low, high)
    pointwise = network.convolution(depthwise, *both, kernel=1, auto_pad='SAME_UPPER')
    added = network.add('Add', pointwise, stem)
    scaled = network.add('Mul', network.add('Relu', added), np.float32(0.5))
    pooled = network.add('AveragePool', scaled, kernel_shape=[2, 2], strides=[2, 2])
    halves = network.convolution(pooled, *both, group=2, strides=[2, 2], pads=[0, 0, 1, 1])
    last = network.add('Relu', network.add('Dropout', halves))
    mean = network.add('ReduceMean', last, axes=[2, 3], keepdims=0)
    hidden = network.add('Gemm', mean, network.normal(6, channels), network.normal(6), transB=1)
    dense = network.add('MatMul', network.add('Relu', hidden), network.normal(6, 4))
    return network, network.add('Softmax', network.add('Add', dense, network.normal(4)))


def write_network(path: Path, **options) -> Path:
    network, output = every_operator(**options)
    path.write_bytes(network.model(output).SerializeToString())
    return path


@pytest.fixture(scope='module')
def place(tmp_path_factory) -> Path:
    """A folder with a network, images of which some lie in folders of classes, and recipes."""
    folder = tmp_path_factory.mktemp('convert')
    write_network(folder / 'network.onnx')
    images = coloured_images(60)
    for number, (image, group) in enumerate(zip(images.images, images.groups, strict=True)):
        (folder / 'data' / group).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / 'data' / group / f'{number:02}.png'), image)
    both = {**TINY, 'validation_images': 20, 'rates': STAGE, 'spikes': STAGE}
    (folder / 'both.yaml').write_text(yaml.safe_dump(both))
    return folder


def run(place: Path, output: Path, *options: str) -> int:
    file, data = str(place / 'network.onnx'), str(place / 'data')
    return convert.main([file, '--data', data, '--output', str(output), *INPUT, *options])


@pytest.fixture(scope='module')
def made(place, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp('made') / 'tiny'
    assert run(place, output, '--recipe', str(place / 'both.yaml')) == 0
    return output


@settings(max_examples=3)
@given(size=st.integers(6, 10), channels=st.sampled_from([4, 6]), seed=st.integers(0, 99))
@pytest.mark.parametrize('neuron', ['lif', 'if'])
def test_spikes_in_a_long_window_are_the_activations_of_the_file(
    tmp_path_factory, neuron: str, size: int, channels: int, seed: int
) -> None:
    network, output = every_operator(size, channels, seed)
    path = tmp_path_factory.getbasetemp() / 'every.onnx'
    path.write_bytes(network.model(output).SerializeToString())
    analog, images = read_analog(path), network.images(16)
    assert all(fate.outcome for fate in analog.fates)
    pixels = images.transpose(0, 2, 3, 1).copy()
    [wanted] = answers(network.model(output), images)
    activations = [torch.from_numpy(each) for each in analog.activations(pixels)]
    assume(all(each.any() for each in activations))  # random weights may silence a layer
    errors = []
    for window in (0.004, 0.128):
        options = convert.parse(['x', '--report', '--neuron', neuron, '--window', str(window)])
        conversion = convert.changed(Conversion(most_spikes=10_000), options)
        spiking, weights = network_of(conversion, analog)
        made = ConvertedNetwork(spiking, weights, analog.ceilings, conversion.dt)
        fit(made, torch.from_numpy(pixels), conversion.most_spikes)
        with torch.no_grad():
            outputs, spikes = made.in_mode('spikes').watch(torch.from_numpy(pixels))
            scales = made.scales.values()
            found = [each * scale for each, scale in zip(spikes, scales, strict=True)]
        pairs = zip(found, activations, strict=True)
        errors.append([float(relative_error(value, wish)) for value, wish in pairs])
        scores = outputs.softmax(1).numpy()
    # What is left is that the largest activations, one in a thousand, are cut off.
    assert max(errors[1]) < 0.05
    assert sum(errors[1]) < sum(errors[0])
    assert np.abs(scores - wanted.reshape(scores.shape)).max() < 0.05


def test_the_model_says_where_it_comes_from_and_what_each_stage_kept(place, made) -> None:
    training = read_description(made / 'model.yaml').training
    assert (training['recipe'], training['file']) == ('both', 'network.onnx')
    assert len(training['file_digest']) == 64
    assert (training['training_images'], training['validation_images']) == (40, 20)
    names = [stage['name'] for stage in training['stages']]
    assert names == ['original', 'without training', 'rates', 'spikes']
    validation = training['validation']
    assert 0 < validation['images'] < 20  # those in a folder with the name of a label
    assert 0 <= validation['accuracy'] <= 1
    card = (made / 'README.md').read_text()
    assert f'| accuracy on spikes | {100 * validation["accuracy"]:.2f} % |' in card
    assert training['file_digest'] in card
    assert '    scripts/run convert network.onnx --recipe ' in card
    assert str(place) not in card.replace(str(place / 'both.yaml'), '')
    for heading in ('Origin', 'Data', 'Stages', 'Layers', 'Validation', 'Nodes of the file'):
        assert f'## {heading}\n' in card
    for name in ('stages.png', 'curves.png', 'energies.png'):
        assert f']({name})' in card
        assert cv2.imread(str(made / name)).std() > 5
    log = (made / 'training.log').read_text()
    assert 'rates: epoch 2 of 2' in log
    assert 'agree with the original' in log
    assert 'nan' not in log


def test_engines_and_tools_take_the_model(place, made, tmp_path, capsys) -> None:
    model = load_model(str(made))
    image = read_image(next((place / 'data/0').glob('*.png')))
    labels = {create_simulator(model, name).classify(image).label for name in ('event', 'torch')}
    assert len(labels) == 1
    assert export.main([str(made), '--output', str(tmp_path / 'tiny.nir')]) == 0
    assert 'each layer fires in a window of 5 ms of its own here' in capsys.readouterr().out
    assert chip.main([str(made)]) == 0
    assert 'cores' in capsys.readouterr().out


def test_the_same_command_again_trains_nothing(place, made, monkeypatch) -> None:
    before = load_model(str(made))

    def refuse(trainer, parallel):
        raise AssertionError('there is nothing left to train')

    monkeypatch.setattr(Trainer, '_step', refuse)
    assert run(place, made, '--recipe', str(place / 'both.yaml')) == 0
    again = load_model(str(made))
    assert again.readout == before.readout
    for own, other in zip(again.weights, before.weights, strict=True):
        assert all(map(np.array_equal, own.kernels, other.kernels))


def test_an_interrupted_command_says_so_and_resumes(place, made, tmp_path, monkeypatch, capsys):
    step = Trainer._step

    def interrupted(trainer, parallel):
        if trainer.title == 'spikes':
            signal.raise_signal(signal.SIGTERM)
        return step(trainer, parallel)

    options = '--recipe', str(place / 'both.yaml')
    with monkeypatch.context() as patched:
        patched.setattr(Trainer, '_step', interrupted)
        assert run(place, tmp_path / 'out', *options) == 128 + signal.SIGTERM
    assert 'convert: interrupted; the same command resumes' in capsys.readouterr().err
    assert not (tmp_path / 'out/model.yaml').exists()
    assert run(place, tmp_path / 'out', *options) == 0
    found, expected = (load_model(str(folder)) for folder in (tmp_path / 'out', made))
    for own, other in zip(found.weights, expected.weights, strict=True):
        assert all(map(np.array_equal, own.kernels, other.kernels))


def test_without_a_recipe_nothing_is_trained_and_the_report_says_what_is_kept(
    place, tmp_path, capsys
) -> None:
    assert run(place, tmp_path / 'out', '--report', '--name', 'mine') == 0
    assert load_model(str(tmp_path / 'out')).name == 'mine'
    assert not (tmp_path / 'out/checkpoints').exists()
    printed = capsys.readouterr().out
    for words in ('Nodes', 'batch', 'Stages', 'without training', 'Layers', 'spikes per neuron'):
        assert words in printed


def test_the_report_alone_needs_no_images_and_names_every_node(place, tmp_path, capsys) -> None:
    before = set(place.rglob('*'))
    assert convert.main([str(place / 'network.onnx'), '--report']) == 0
    printed = capsys.readouterr().out
    count = len(every_operator()[0].nodes)
    rows = printed.split('Nodes\n\n')[1].splitlines()
    assert sum(line[:1].isdigit() for line in rows) == count
    assert convert.main([str(place / 'network.onnx'), '--report', str(tmp_path / 'x.md')]) == 0
    assert '| node | name | operator |' in (tmp_path / 'x.md').read_text()
    assert set(place.rglob('*')) == before


def test_options_stand_for_what_the_recipe_says(place, tmp_path) -> None:
    labels = tmp_path / 'labels.txt'
    labels.write_text('background\n0\ntwo\n1\n')
    options = [
        *('--recipe', str(place / 'both.yaml'), '--stages', 'none', '--neuron', 'if'),
        *('--window', '0.01', '--labels', str(labels), '--leave-out', 'background'),
        *('--centre', '0.5', '--fit', 'stretch', '--bgr', '--limit', '30'),
    ]
    assert run(place, tmp_path / 'out', *options) == 0
    model = load_model(str(tmp_path / 'out'))
    assert model.labels == ('0', 'two', '1')
    assert type(model.network.neuron).__name__ == 'IF'
    assert model.network.firing_window == 0.01
    assert (model.preprocessing.centre, model.preprocessing.fit) == (0.5, 'stretch')
    card = (tmp_path / 'out/README.md').read_text()
    assert '--leave-out background' in card
    assert '--bgr --data DIRECTORY' in card


@pytest.mark.parametrize(
    ('options', 'sentence'),
    [
        (['--recipe', 'nowhere'], 'shipped conversions: '),
        (['--stages', 'rates', '--recipe', 'quick'], 'the recipe has no stage rates'),
        (['--labels', 'none.txt'], 'cannot be read'),
        (['--window', '0.0003'], 'firing_window must be a multiple of dt'),
        (['--centre', '2'], 'centre must be a share'),
        (['--mean', '0.5', '0.5'], 'mean must be one finite number'),
        (['--deviation', '0'], 'deviation must be positive'),
    ],
)
def test_bad_options_end_in_a_sentence_and_nothing_is_written(
    place, tmp_path, capsys, options, sentence
) -> None:
    assert run(place, tmp_path / 'out', *options) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith('convert: ')
    assert sentence in error
    assert not (tmp_path / 'out').exists()


def test_bad_files_and_images_end_in_a_sentence_and_nothing_is_written(
    place, tmp_path, capsys
) -> None:
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'broken').mkdir()
    (tmp_path / 'broken/x.png').write_bytes(b'no image')
    (tmp_path / 'bad.onnx').write_bytes(b'no network')
    good, data = str(place / 'network.onnx'), str(place / 'data')
    for file, images, sentence in (
        (str(tmp_path / 'bad.onnx'), data, 'bad.onnx'),
        (str(tmp_path / 'missing.onnx'), data, 'is no file'),
        (good, str(tmp_path / 'empty'), 'holds no images'),
        (good, str(tmp_path / 'broken'), 'none of the 1 images'),
        (good, str(tmp_path / 'missing'), 'is not a folder'),
    ):
        output = str(tmp_path / 'out')
        assert convert.main([file, '--data', images, '--output', output, *INPUT]) == 1
        assert sentence in capsys.readouterr().err
        assert not (tmp_path / 'out').exists()


def test_a_folder_with_a_model_of_another_file_is_refused(place, made, tmp_path, capsys) -> None:
    before = {path: path.read_bytes() for path in made.rglob('*') if path.is_file()}
    other = write_network(tmp_path / 'other.onnx', seed=1)
    options = ['--data', str(place / 'data'), '--output', str(made), *INPUT]
    assert convert.main([str(other), *options]) == 1
    assert 'holds a model that was not, as far as it says, converted' in capsys.readouterr().err
    assert {path: path.read_bytes() for path in made.rglob('*') if path.is_file()} == before


def test_the_images_are_needed_unless_a_report_is_wanted(place, capsys) -> None:
    with pytest.raises(SystemExit):
        convert.main([str(place / 'network.onnx')])
    assert '--data is needed; only --report does without' in capsys.readouterr().err


def test_a_trained_mobilenet_becomes_a_model_within_seconds(tmp_path, capsys) -> None:
    library('tflite')
    file = MOBILENET / 'mobilenet_v1_0.25_128_quant.tflite'
    if not file.is_file():
        pytest.skip(f'{file} is not there')
    random = np.random.default_rng(0)
    for number in range(6):
        scene = np.full((140, 160, 3), random.integers(0, 256, 3), np.uint8)
        centre = tuple(int(value) for value in random.integers(40, 100, 2))
        colour = tuple(int(value) for value in random.integers(0, 256, 3))
        cv2.circle(scene, centre, 30, colour, -1)
        cv2.imwrite(str(tmp_path / f'{number}.png'), scene)
    output = tmp_path / 'out'
    assert convert.main([str(file), '--data', str(tmp_path), '--output', str(output)]) == 0
    model = load_model(str(output))
    assert (model.classes, model.network.depth) == (1001, 27)
    assert model.presentation_time <= 0.25
    training = read_description(output / 'model.yaml').training
    assert training['validation']['agreement'] >= 0
    assert 'No folder of the images has the name of a label' in (output / 'README.md').read_text()
    assert chip.main([str(output)]) == 0
    assert 'cores' in capsys.readouterr().out
