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

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from random_models import (
    random_graph_model,
    random_images,
    random_model,
    turn_taking_model,
)

from snn_perception import create_simulator, load_model
from snn_perception.layers import Convolution, Dense
from snn_perception.model import Model, ModelError
from snn_perception.model_folder import save_model
from snn_perception.readout import Readout
from snn_perception.synapses import Synapse
from snn_perception.unknown import Unknown, UnknownSection, cosine, energy
from snn_perception.views import Views
from snn_perception.widening import features_of, with_unknown, without_unknown


def knowing(model: Model, directions: int = 5, seed: int = 3) -> Model:
    """`model` with a score of random directions."""
    random = np.random.default_rng(seed)
    section = UnknownSection(-1.0, 0.5, 0.3, 2.0, settling=0.001, directions=directions, groups=4)
    means = random.normal(size=(4, directions)).astype(np.float32)
    basis = random.normal(size=(features_of(model.network), directions)).astype(np.float32)
    return with_unknown(model, Unknown(section, means), basis)


def test_a_score_is_one_at_the_threshold_and_zero_at_what_is_typical():
    section = UnknownSection(typical=-3.0, threshold=-1.0, settling=0.02)
    evidence = np.array([[3.0, -np.inf], [1.0, -np.inf], [0.0, -np.inf]])
    scores = Unknown(section).score(evidence, np.zeros((3, 0)), 0.01)
    assert scores == pytest.approx([-1.0, 0.0, 0.5])
    scores = Unknown(section).score(evidence, np.zeros((3, 0)), np.inf)
    assert scores == pytest.approx([0.0, 1.0, 1.5])


def test_a_distance_from_the_typical_counts_less_while_evidence_is_short():
    section = UnknownSection(typical=-3.0, threshold=-1.0, spread=0.01)
    evidence = np.array([[3.0, -np.inf], [1.0, -np.inf]])
    for duration, expected in ((0.005, 1 / 3), (0.01, 1 / 2), (np.inf, 1)):
        scores = Unknown(section).score(evidence, np.zeros((2, 0)), duration)
        assert scores == pytest.approx([0.0, expected])


@given(st.floats(0.01, 1e4), st.integers(0, 100))
def test_the_cosine_does_not_depend_on_how_strongly_neurons_fire(strength, seed):
    random = np.random.default_rng(seed)
    directions, means = random.normal(size=(6, 7)), random.normal(size=(3, 7))
    expected = cosine(directions, means)
    assert cosine(strength * directions, means) == pytest.approx(expected)
    assert (np.abs(expected) <= 1 + 1e-12).all()
    assert cosine(means, means) == pytest.approx(np.ones(3))


def test_a_silent_layer_points_nowhere_and_is_unknown():
    assert cosine(np.zeros((2, 4)), np.eye(4)) == pytest.approx([0, 0])


def test_the_energy_is_as_good_as_the_largest_output_and_never_overflows():
    assert energy(np.array([[1000.0, 0.0]])) == pytest.approx([1000.0])
    assert energy(np.array([[1.0, 1.0, 1.0]])) == pytest.approx([1 + np.log(3)])


@pytest.mark.parametrize('make', [random_model, random_graph_model])
@pytest.mark.parametrize('mirror', [False, True])
def test_every_engine_scores_alike(make, mirror):
    model = make()
    readout = Readout(0.03, start_time=0.01, mirror=mirror)
    model = knowing(dataclasses.replace(model, readout=readout))
    images = random_images(model, 3)
    scores = [
        [made.unknown_score for made in create_simulator(model, name).classify_batch(images)]
        for name in ('reference', 'event', 'torch')
    ]
    assert len(set(scores[0])) == 3
    assert scores[1] == pytest.approx(scores[0], abs=1e-4)
    assert scores[2] == pytest.approx(scores[0], abs=1e-4)


def test_nengo_scores_alike_and_its_network_has_the_outputs_for_classes_alone():
    pytest.importorskip('nengo', reason='nengo is not installed')
    from snn_perception.backends.nengo_network import build_network

    model = knowing(random_model())
    images = random_images(model, 2)
    scores = [
        [made.unknown_score for made in create_simulator(model, name).classify_batch(images)]
        for name in ('reference', 'nengo')
    ]
    assert scores[1] == pytest.approx(scores[0], abs=1e-4)
    assert build_network(model).readout.size_out == 3


def test_engines_score_alike_where_layers_take_turns():
    model = knowing(turn_taking_model(1))
    images = random_images(model, 3)
    scores = [
        [made.unknown_score for made in create_simulator(model, name).classify_batch(images)]
        for name in ('reference', 'event', 'torch', 'rate')
    ]
    assert scores[1] == pytest.approx(scores[0], abs=1e-4)
    assert scores[2] == pytest.approx(scores[0], abs=1e-4)
    assert None not in scores[3]


@given(st.permutations(range(5)))
def test_the_order_of_a_batch_changes_no_score(order):
    model = knowing(random_model())
    simulator = create_simulator(model, 'reference')
    images = random_images(model, 5)
    scores = [made.unknown_score for made in simulator.classify_batch(images, None, 0.01)]
    others = [made.unknown_score for made in simulator.classify_batch(images[order], None, 0.01)]
    assert others == pytest.approx([scores[place] for place in order])


def test_a_score_changes_neither_answers_nor_spikes_and_its_operations_are_counted():
    model = random_model()
    readout = dataclasses.replace(model.readout, confidence_threshold=0.6)
    model = dataclasses.replace(model, readout=readout)
    images = random_images(model, 6)
    plain = create_simulator(model, 'reference').classify_batch(images)
    scored = create_simulator(knowing(model, 5), 'reference').classify_batch(images)
    for one, other in zip(plain, scored, strict=True):
        assert (one.unknown_score, one.is_unknown) == (None, False)
        assert np.array_equal(one.scores, other.scores)
        assert one.simulated_time == other.simulated_time
        assert np.array_equal(one.activity.spikes, other.activity.spikes)
        before, after = (each.activity.synaptic_operations for each in (one, other))
        assert np.array_equal(before[:-1], after[:-1])
        # From 3 to 3 + 5 outputs.
        assert after[-1] == before[-1] / 3 * 8


def test_a_decision_scores_the_evidence_that_it_rests_on():
    model = knowing(dataclasses.replace(random_model(), readout=Readout(0.05, start_time=0.02)))
    simulator = create_simulator(model, 'reference')
    images = random_images(model, 2)
    activity = simulator.run(simulator.reset(2), images, 50)
    evidence = activity.outputs[20:].mean(axis=0, dtype=float)
    directions = activity.directions[20:].mean(axis=0, dtype=float)
    assert (evidence.shape, directions.shape) == ((2, 3), (2, 5))
    expected = model.unknown.score(evidence, directions, 0.03)
    found = simulator.classify_batch(images)
    assert [made.unknown_score for made in found] == pytest.approx(expected)
    assert [made.is_unknown for made in found] == list(expected > 1)


def test_of_several_views_the_best_known_one_counts_and_has_its_score():
    model = knowing(random_model())
    simulator = create_simulator(model, 'reference')
    images = random_images(model, 6)
    alone = simulator.classify_batch(images)
    scores = np.array([made.unknown_score for made in alone])
    middle = float(np.median(scores))
    section = model.unknown.section
    # About half of the images are now unknown.
    scale = section.threshold - section.typical
    section = dataclasses.replace(
        section,
        typical=section.typical + (middle - 1) * scale,
        threshold=section.typical + middle * scale,
    )
    model = dataclasses.replace(model, unknown=Unknown(section, model.unknown.means))
    simulator = create_simulator(model, 'reference')
    alone = simulator.classify_batch(images)
    known = [made for made in alone if not made.is_unknown]
    assert 0 < len(known) < 6
    views = Views.parse('grid 3x2 best')
    (decision,) = simulator.classify_batch(images, views=views)
    best = max(known, key=lambda made: made.score)
    assert decision.unknown_score == pytest.approx(best.unknown_score)
    assert decision.score == pytest.approx(best.score)
    assert decision.view == alone.index(best)


@pytest.mark.parametrize('make', [random_model, random_graph_model])
def test_a_score_is_saved_and_loaded_and_taken_off(make, tmp_path):
    model = make()
    save_model(knowing(model), tmp_path / 'model')
    loaded = load_model(tmp_path / 'model')
    assert loaded.unknown.section == knowing(model).unknown.section
    assert np.array_equal(loaded.unknown.means, knowing(model).unknown.means)
    plain = without_unknown(loaded)
    assert (plain.network, plain.unknown, plain.directions) == (model.network, None, 0)
    for ours, theirs in zip(plain.weights, model.weights, strict=True):
        assert all(map(np.array_equal, ours.kernels, theirs.kernels))
        assert np.array_equal(ours.bias, theirs.bias)
    assert without_unknown(model) is model


def test_a_nir_file_has_the_outputs_for_classes_alone(tmp_path):
    pytest.importorskip('nir', reason='NIR is not installed')
    from snn_perception.interchange.nir_files import write_graph
    from snn_perception.interchange.nir_writing import lost, to_graph
    from snn_perception.interchange.timing import Timing

    layers = (Convolution(6, 3), Dense(12), Dense(3))
    model = random_model(layers=layers, readout_synapse=Synapse(), synapse=Synapse())
    write_graph(to_graph(knowing(model), Timing(0.001)), tmp_path / 'model.nir')
    there = load_model(tmp_path / 'model.nir')
    assert (there.unknown, there.network.classes, there.labels) == (None, 3, model.labels)
    assert 'unknown' in lost(knowing(model), Timing(0.001))
    assert 'unknown' not in lost(model, Timing(0.001))


def test_an_energy_above_the_usual_makes_nothing_better_known():
    unknown = Unknown(UnknownSection(typical=-3.0, threshold=-1.0, most_energy=2.0))
    evidence = np.array([[1.0, -np.inf], [2.0, -np.inf], [50.0, -np.inf]])
    scores = unknown.score(evidence, np.zeros((3, 0)), 1.0)
    assert scores == pytest.approx([1.0, 0.5, 0.5])


def spoilt(folder: Path, **changes) -> Path:
    """The folder of a model whose `unknown` has these `changes`."""
    save_model(knowing(random_model()), folder)
    content = yaml.safe_load((folder / 'model.yaml').read_text())
    content['unknown'] |= changes
    (folder / 'model.yaml').write_text(yaml.safe_dump(content))
    return folder


@pytest.mark.parametrize(
    ('changes', 'said'),
    [
        ({'threshold': -1.0}, 'threshold of unknown must be above what is typical, -1, not -1'),
        ({'settling': float('nan')}, 'settling of unknown must be a finite number, not nan'),
        ({'spread': -0.1}, 'spread of unknown must be 0 or more, not -0.1'),
        ({'energy_weight': -1.0}, 'energy_weight of unknown must be 0 or more, not -1'),
        ({'directions': 0}, 'must all be 0 or all above 0'),
        ({'directions': 6}, '3 labels and 6 directions of unknown do not fit the 8 outputs'),
        ({'groups': 3}, 'unknown.means has the shape .4, 5. where the network needs .3, 5.'),
        ({'groups': 10**9}, 'more than the 10000000 values allowed'),
        ({'typical': 'low'}, 'typical must be a number'),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(tmp_path, changes, said):
    with pytest.raises(ModelError, match=said):
        load_model(spoilt(tmp_path / 'model', **changes))


def test_a_score_that_was_saved_without_a_spread_has_none(tmp_path):
    folder = spoilt(tmp_path / 'model')
    content = yaml.safe_load((folder / 'model.yaml').read_text())
    del content['unknown']['spread']
    (folder / 'model.yaml').write_text(yaml.safe_dump(content))
    assert load_model(folder).unknown.section == knowing(random_model()).unknown.section


def test_means_that_are_not_finite_are_refused(tmp_path):
    model = knowing(random_model())
    model.unknown.means[1, 1] = np.nan
    save_model(model, tmp_path / 'model')
    with pytest.raises(ModelError, match='means of unknown must be finite'):
        load_model(tmp_path / 'model')
