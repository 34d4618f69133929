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

"""Exported graphs in nirtorch, which adds what several edges bring to a node, spike for spike."""

from __future__ import annotations

import numpy as np
import pytest
from excitatory import excitatory
from random_models import random_graph_model, random_images

from snn_perception.synapses import Synapse

nirtorch = pytest.importorskip('nirtorch', reason='nirtorch is not installed')
pytest.importorskip('snntorch', reason='snnTorch is not installed')
torch = pytest.importorskip('torch')
from snntorch_runs import assert_same_spikes, exact_modules, our_run, their_run  # noqa: E402

from snn_perception.interchange.nir_files import read_graph, write_graph  # noqa: E402
from snn_perception.interchange.nir_writing import to_graph  # noqa: E402
from snn_perception.interchange.timing import Timing  # noqa: E402


@pytest.mark.parametrize('seed', range(4))
@pytest.mark.parametrize('type_', ['none', 'exponential', 'alpha'])
def test_a_graph_in_continuous_time_runs_exactly_on_snntorch_neurons(tmp_path, type_, seed):
    synapse = Synapse() if type_ == 'none' else Synapse(type_, 0.005)
    model = excitatory(random_graph_model(seed, synapse=synapse, readout_synapse=synapse))
    write_graph(to_graph(model, Timing(0.0)), tmp_path / 'model.nir')
    modules = exact_modules(model.dt)
    graph = read_graph(tmp_path / 'model.nir')
    network = nirtorch.nir_to_torch(graph, modules, dtype=torch.float64)
    image = random_images(model, 1, seed)[0]
    ours, our_outputs = our_run(model, image, 60)
    theirs, their_outputs = their_run(network, image, 60)
    assert len(ours) == len(theirs) == len(model.network.populations) - 1
    # Time constants in the file are float32: a spike may yet fall into the next step.
    assert_same_spikes(ours, theirs, but_for=0.002)
    assert np.allclose(our_outputs.mean(0), their_outputs.mean(0), rtol=1e-3)
