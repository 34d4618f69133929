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

"""Networks with skips and depthwise convolutions through the whole of training."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import math
import signal

import numpy as np
import pytest
import torch
import yaml
from random_models import with_random_weights
from tiny_training import CONTENT, GRAPH, graph_recipe, tiny_dataset, tiny_recipe

from snn_perception import create_simulator, load_model
from snn_perception.datasets import Dataset, split
from snn_perception.evaluation.accuracy import evaluate
from snn_perception.graph import IMAGE
from snn_perception.layers import AveragePooling, Convolution, Dense, Sum
from snn_perception.model_folder import save_model
from snn_perception.network import Network
from snn_perception.neurons import LIF, Softened
from snn_perception.training.data import Split, divide
from snn_perception.training.fingerprint import difference, fingerprint
from snn_perception.training.noise import Noise
from snn_perception.training.objective import Labels
from snn_perception.training.optimizers import make_optimizers
from snn_perception.training.pipeline import train
from snn_perception.training.recipe import load_recipe
from snn_perception.training.stages import run_stages
from snn_perception.training.trainable import HiddenLayer, RateNetwork


@pytest.fixture(scope='module')
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope='module')
def trained(tmp_path_factory, two_threads):
    output = tmp_path_factory.mktemp('trained') / 'graph'
    train(graph_recipe(), tiny_dataset(), output)
    return output


def test_a_network_with_a_skip_learns_and_its_model_is_right_on_spikes(trained):
    model = load_model(trained)
    _, validation = divide(tiny_dataset(), graph_recipe())
    rates = create_simulator(model, 'rate')
    evaluation = evaluate(create_simulator(model, 'torch'), rates, validation)
    assert evaluation.accuracy > 0.9
    assert evaluation.rate_accuracy > 0.9


def test_the_card_names_what_leads_into_a_layer(trained):
    card = (trained / 'README.md').read_text()
    assert '| block: convolution + identity | 8x8x16 | 1024 |' in card
    # The score of being unknown has outputs of its own, behind the four for classes.
    outputs = load_model(trained).network.classes
    assert outputs > 4
    assert f'{10 * 16 + 10 * 16 + 17 * 16 + 17 * outputs} parameters' in card


def run(folder):
    recipe = graph_recipe()
    data = Split(
        *divide(tiny_dataset(), recipe), recipe.preprocessing, augmentation=recipe.augmentation
    )
    return run_stages(recipe, data, folder)


def weights_of(stages):
    return [value for stage in stages for value in stage.average.state_dict().values()]


@pytest.fixture(scope='module')
def whole(tmp_path_factory, two_threads):
    return weights_of(run(tmp_path_factory.mktemp('whole')))


@pytest.mark.parametrize('call', [27, 209])
def test_after_ctrl_c_in_either_stage_training_ends_exactly_as_without(
    tmp_path, whole, monkeypatch, call
):
    """Each of the 110 steps calls `loss` twice, once in each thread."""
    calls, loss = itertools.count(1), Labels.loss

    def called(*arguments):
        if next(calls) == call:
            signal.raise_signal(signal.SIGINT)
        return loss(*arguments)

    monkeypatch.setattr(Labels, 'loss', called)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    for resumed, expected in zip(weights_of(run(tmp_path)), whole, strict=True):
        assert torch.equal(resumed, expected)


SUMMED = Network(
    (8, 8, 1),
    (
        Convolution(6, 3, padding=1, name='stem'),
        Convolution(6, 3, padding=1, name='deep'),
        Sum(
            (
                (AveragePooling(2), Dense(4)),
                (AveragePooling(4, source='stem'), Dense(4)),
                Dense(4, source='input'),
            )
        ),
    ),
)


def test_going_on_from_a_model_makes_every_connection_of_the_readout_anew(tmp_path):
    base = with_random_weights(SUMMED)
    save_model(base, tmp_path / 'base')
    sections = {name: CONTENT[name] for name in ('optimisation', 'fine_tuning')}
    content = {'name': 'onward', 'base': str(tmp_path / 'base'), **sections}
    (tmp_path / 'onward.yaml').write_text(yaml.safe_dump(content))
    recipe = load_recipe(str(tmp_path / 'onward.yaml'))[0].with_classes(2)
    whole = tiny_dataset()
    halves = Dataset(whole.images, (whole.labels >= 2).astype(np.int64), ('top', 'bottom'))
    data = Split(*split(halves, 80, 0), recipe.preprocessing)
    readout, _ = run_stages(recipe, data, tmp_path)
    *hidden, last = readout.average.fold()
    for weights, before in zip(hidden, base.weights, strict=False):
        np.testing.assert_allclose(weights.kernel, before.kernel, rtol=1e-5)
    assert [kernel.shape for kernel in last.kernels] == [(96, 2), (24, 2), (64, 2)]
    assert all(np.abs(kernel).max() > 0 for kernel in last.kernels)
    assert readout.progress.history[-1]['validation_accuracy'] > 0.9


def test_the_weights_of_groups_are_stacks_that_muon_leaves_alone():
    """What it would make of them has no meaning, see `make_optimizers`."""
    network = RateNetwork(graph_recipe().network, Noise())
    stem, depthwise, _ = network.hidden
    assert stem.weight.shape == (16, 9)
    assert depthwise.weight.shape == (16, 1, 9)
    optimizers = make_optimizers(network, 0.25)
    matrices, (vectors, stacks) = (optimizers[name].param_groups for name in ('muon', 'adamw'))
    parameters = {id(each): name for name, each in network.named_parameters()}
    muon = [parameters[id(each)] for each in matrices[0]['params']]
    assert muon == ['hidden.0.weight', 'hidden.2.weight0', 'readout.weight']
    assert [parameters[id(each)] for each in stacks['params']] == ['hidden.1.weight']
    assert (stacks['weight_decay'], vectors['weight_decay']) == (0.25, 0.0)
    assert len(parameters) == len(muon) + 1 + len(vectors['params'])


@pytest.mark.parametrize('count', [1, 2, 5])
def test_however_many_branches_are_summed_half_of_the_neurons_fire_at_first(count):
    """Currents start with the rheobase as their mean and a variance of 1."""
    branches = tuple(Convolution(16, 3, groups=1 + number % 2) for number in range(count))
    [population, _] = Network((12, 12, 4), (Sum(branches), Dense(3))).populations
    torch.manual_seed(0)
    layer = HiddenLayer(population, Softened(LIF(), 0.02), Noise())
    current = layer.total({IMAGE: torch.randn(256, 12, 12, 4)})
    assert current.mean().item() == pytest.approx(1, abs=0.05)
    assert current.std().item() == pytest.approx(1, rel=0.2)
    assert (current > 1).double().mean().item() == pytest.approx(0.5, abs=0.05)


def test_a_chain_starts_with_the_names_and_the_draws_that_it_had_before_there_were_graphs():
    """So its checkpoints from then go on."""
    layers = (Convolution(6, 3, padding=1), AveragePooling(2), Dense(12), Dense(3))
    network = RateNetwork(Network((8, 8, 3), layers), Noise(), torch.Generator().manual_seed(5))
    names = ['weight', *(f'normalisation.{name}' for name in ('weight', 'bias'))]
    hidden = [f'hidden.{index}.{name}' for index in (0, 1) for name in names]
    parameters = dict(network.named_parameters())
    assert list(parameters) == [*hidden, 'readout.weight', 'readout.bias']
    generator = torch.Generator().manual_seed(5)
    for name, shape in (
        ('hidden.0.weight', (6, 27)),
        ('hidden.1.weight', (12, 96)),
        ('readout.weight', (3, 12)),
    ):
        expected = torch.empty(shape).normal_(0, math.sqrt(2 / shape[1]), generator=generator)
        torch.testing.assert_close(parameters[name].detach(), expected)


def test_the_fingerprint_of_a_chain_is_what_it_was_before_there_were_graphs():
    layers = fingerprint(tiny_recipe(), {}, {}, on_spikes=False)['recipe']['layers']
    assert layers == [
        {'channels': 6, 'kernel': 3, 'stride': 1, 'padding': 1},
        {'size': 2},
        {'units': 16},
        {'units': 4},
    ]


@pytest.mark.parametrize(
    'change',
    [
        lambda layers: layers[1].update(groups=8),
        lambda layers: layers[2]['branches'].reverse(),
        lambda layers: layers[2]['branches'][1].update(scale=0.02),
        lambda layers: layers[2]['branches'][1].pop('source'),
    ],
)
def test_another_graph_has_another_fingerprint(change):
    layers = copy.deepcopy(GRAPH)
    change(layers)
    changed = dataclasses.replace(graph_recipe(), layers=tiny_recipe(layers=layers).layers)
    own, other = (fingerprint(each, {}, {}, False) for each in (graph_recipe(), changed))
    assert difference(other, own) == 'another recipe (layers)'
