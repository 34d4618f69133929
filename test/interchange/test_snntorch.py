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

"""Networks handed over to snnTorch and taken over from it, spike for spike.

What is ours alone is left out where spikes must be equal: the refractory period and, by weights
that are not negative, the floor of the membrane. snnTorch computes in float32, in which a spike
may fall into the next step.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import io
import warnings

import colour_model
import cv2
import numpy as np
import pytest
from random_models import random_images, random_model

from snn_perception import load_model
from snn_perception.commands import evaluate
from snn_perception.layers import AveragePooling, Convolution, Dense
from snn_perception.model import Weights
from snn_perception.neurons import LIF
from snn_perception.synapses import Synapse

nir = pytest.importorskip('nir', reason='NIR is not installed')
nirtorch = pytest.importorskip('nirtorch', reason='nirtorch is not installed')
snntorch = pytest.importorskip('snntorch', reason='snnTorch is not installed')
torch = pytest.importorskip('torch')
from snntorch_runs import assert_same_spikes, exact_modules, our_run, their_run  # noqa: E402

from snn_perception.interchange.nir_files import read_graph, write_graph  # noqa: E402
from snn_perception.interchange.nir_writing import to_graph  # noqa: E402
from snn_perception.interchange.timing import Timing  # noqa: E402

COLOURS = colour_model.LABELS
STEP = 1e-4
"""The time step (s) that snnTorch takes all files to be for."""


def uninhibited(model, tau_ref=0.0, bias=None):
    """`model` without negative weights after neurons; `bias`, if given, is for hidden layers."""
    weights = [model.weights[0]]
    for each in model.weights[1:]:
        values = each.bias if bias is None else np.full_like(each.bias, bias)
        weights.append(Weights((np.abs(each.kernel),), values))
    network = dataclasses.replace(model.network, neuron=LIF(0.02, tau_ref))
    return dataclasses.replace(model, network=network, weights=tuple(weights))


def imported(path):
    """The network that snnTorch's own importer makes of a file."""
    from snntorch.import_nir import import_from_nir

    with contextlib.redirect_stdout(io.StringIO()):
        return import_from_nir(nir.read(path))


def exported(network, shape):
    """The graph that snnTorch's own exporter makes of a network for images of `shape`."""
    from snntorch.export_nir import export_to_nir

    with warnings.catch_warnings():
        warnings.simplefilter('ignore', DeprecationWarning)
        # Of a copy: tracing leaves potentials behind.
        return export_to_nir(copy.deepcopy(network), torch.rand(1, *shape), ignore_dims=[0])


@pytest.mark.parametrize('seed', range(3))
def test_an_exported_network_spikes_in_snntorch_as_here(tmp_path, seed):
    model = random_model(
        seed, synapse=Synapse('exponential', 0.005), readout_synapse=Synapse(), dt=STEP
    )
    model = uninhibited(model, bias=0.0)
    write_graph(to_graph(model, Timing(STEP)), tmp_path / 'model.nir')
    image = random_images(model, 1, seed)[0]
    ours, our_outputs = our_run(model, image, 800)
    theirs, their_outputs = their_run(imported(tmp_path / 'model.nir'), image, 800)
    assert_same_spikes(ours, theirs)
    assert np.allclose(our_outputs.mean(0), their_outputs.mean(0), rtol=1e-3)


@pytest.mark.parametrize('step', [0.0005, 0.001])
@pytest.mark.parametrize('type_', ['none', 'exponential', 'alpha'])
def test_a_file_in_continuous_time_runs_exactly_on_snntorch_neurons(tmp_path, type_, step):
    synapse = Synapse() if type_ == 'none' else Synapse(type_, 0.005)
    model = uninhibited(random_model(synapse=synapse, readout_synapse=synapse, dt=step))
    write_graph(to_graph(model, Timing(0.0)), tmp_path / 'model.nir')
    network = nirtorch.nir_to_torch(
        read_graph(tmp_path / 'model.nir'), exact_modules(step), dtype=torch.float64
    )
    image = random_images(model, 1)[0]
    ours, our_outputs = our_run(model, image, 200)
    theirs, their_outputs = their_run(network, image, 200)
    # Time constants in the file are float32: a spike may yet fall into the next step.
    assert_same_spikes(ours, theirs, but_for=0.002)
    assert np.allclose(our_outputs.mean(0), their_outputs.mean(0), rtol=1e-3)


def test_the_refractory_period_that_is_lost_makes_rates_differ_as_the_curves_say(tmp_path):
    model = random_model(
        layers=(Dense(200), Dense(3)), drive=2.5, dt=STEP, readout_synapse=Synapse()
    )
    network = dataclasses.replace(model.network, neuron=LIF(0.02, 0.002))
    model = dataclasses.replace(model, network=network)
    write_graph(to_graph(model, Timing(STEP)), tmp_path / 'model.nir')
    image, seconds = random_images(model, 1)[0], 0.5
    steps = round(seconds / STEP)
    ((here,), _), ((there,), _) = (
        our_run(model, image, steps),
        their_run(imported(tmp_path / 'model.nir'), image, steps),
    )
    here, there = here.sum(0).ravel() / seconds, there.sum(0).ravel() / seconds
    current = image.reshape(-1) @ model.weights[0].kernel + model.weights[0].bias
    with_period, without = network.neuron.rate(current), LIF(0.02, 0.0).rate(current)
    assert without.max() > 100
    # One spike more or less in the time simulated; there, a spike waits for the end of its step.
    one = 1 / seconds
    assert np.all(np.abs(here - with_period) <= one)
    assert np.all(there <= without + one)
    assert np.all(there >= LIF(0.02, STEP).rate(current) - one)


def neurons(kind, shape, **decays):
    """Neurons of snnTorch that reset as NIR says: to zero, at once."""
    decays = {name: torch.full(shape, decay) for name, decay in decays.items()}
    threshold = torch.full(shape, 1.0)
    return kind(
        **decays, threshold=threshold, reset_mechanism='zero', reset_delay=False, init_hidden=True
    )


def made_in_snntorch(has_synapses, seed):
    """A small convolutional network of snnTorch, without inhibition after neurons."""
    torch.manual_seed(seed)

    def hidden(shape):
        if has_synapses:
            return neurons(snntorch.Synaptic, shape, alpha=0.8, beta=0.9)
        return neurons(snntorch.Leaky, shape, beta=0.9)

    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 6, 3, padding=1),
        neurons(snntorch.Leaky, (6, 8, 8), beta=0.9),
        torch.nn.AvgPool2d(2),
        torch.nn.Conv2d(6, 8, 3, stride=2),
        hidden((8, 1, 1)),
        torch.nn.Flatten(),
        torch.nn.Linear(8, 4),
        hidden((4,)),
    )
    with torch.no_grad():
        for module in (network[3], network[6]):
            module.weight.abs_()
            # Behind a synapse a bias would rise there, and act at once here.
            module.bias.zero_() if has_synapses else module.bias.abs_()
    return network


class Steps(torch.nn.Module):
    """A network of snnTorch as nirtorch has them: with a state beside the output."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, values, state=None):
        return self.network(values[None]), state


@pytest.mark.parametrize('has_synapses', [False, True])
@pytest.mark.parametrize('seed', range(2))
def test_a_network_made_in_snntorch_spikes_here_as_there(tmp_path, has_synapses, seed):
    network = made_in_snntorch(has_synapses, seed)
    nir.write(tmp_path / 'theirs.nir', exported(network, (3, 8, 8)))
    model = load_model(tmp_path / 'theirs.nir')
    assert model.dt == STEP
    assert model.network.layers == (
        Convolution(6, 3, padding=1), AveragePooling(2), Convolution(8, 3, 2), Dense(4), Dense(4)
    )  # fmt: skip
    image = random_images(model, 1, seed)[0]
    ours, outputs = our_run(model, image, 300)
    theirs, _ = their_run(Steps(network), image, 300)
    assert_same_spikes(ours, theirs)
    counts = ours[-1].sum(0).ravel() * model.presentation_time / (300 * STEP)
    assert np.allclose(outputs.mean(0), counts)


@pytest.fixture
def colours(tmp_path):
    """A file of snnTorch: a network whose three neurons see red, green and blue."""
    network = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(3 * 64, 3), neurons(snntorch.Leaky, (3,), beta=0.9)
    )
    with torch.no_grad():
        network[1].weight.copy_(torch.eye(3).repeat_interleave(64, dim=1) / 100)
        network[1].bias.zero_()
    nir.write(tmp_path / 'colours.nir', exported(network, (3, 8, 8)))
    return tmp_path / 'colours.nir'


def test_a_network_made_in_snntorch_is_evaluated_like_any_other(colours, tmp_path, capsys):
    for label, colour in enumerate(COLOURS):
        (tmp_path / 'data' / str(label)).mkdir(parents=True)
        pixels = colour_model.image(colour)
        cv2.imwrite(str(tmp_path / 'data' / str(label) / '1.png'), pixels[:, :, ::-1])
    assert evaluate.main([str(colours), '--data', str(tmp_path / 'data')]) == 0
    printed = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()[:3])
    assert printed['images'] == '3'
    assert printed['accuracy'] == '1'
