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

import logging
import re
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
import yaml
from tiny_training import tiny_dataset, tiny_recipe

from snn_perception import create_simulator, load_model
from snn_perception.datasets import Dataset, DatasetError, halves
from snn_perception.evaluation.accuracy import evaluate
from snn_perception.model_file import read_description
from snn_perception.model_folder import save_model
from snn_perception.neurons import NEURON_TYPES
from snn_perception.training.data import divide
from snn_perception.training.pipeline import shortcomings, train
from snn_perception.training.recipe import RecipeError
from snn_perception.training.results import learn_again, measure, measure_again
from snn_perception.widening import without_unknown


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    output = tmp_path_factory.mktemp('trained') / 'tiny'
    train(tiny_recipe(), tiny_dataset(), output)
    return output


def test_training_writes_a_model_that_is_right_on_spikes(trained):
    model = load_model(trained)
    assert model.labels == ('nw', 'ne', 'sw', 'se')
    _, validation = divide(tiny_dataset(), tiny_recipe())
    simulator, rates = create_simulator(model, 'torch'), create_simulator(model, 'rate')
    evaluation = evaluate(simulator, rates, validation)
    assert evaluation.accuracy > 0.9
    assert evaluation.confusion(4).trace() == round(80 * evaluation.accuracy)


@pytest.mark.slow
@pytest.mark.parametrize('kind', sorted(set(NEURON_TYPES) - {'lif'}))
def test_every_kind_of_neuron_learns(tmp_path, kind):
    model = train(tiny_recipe(neuron={'type': kind, 'gamma': 0.05}), tiny_dataset(), tmp_path)
    assert isinstance(model.network.neuron, NEURON_TYPES[kind])
    figures = yaml.safe_load((tmp_path / 'model.yaml').read_text())['training']['validation']
    # By chance it would be a quarter.
    assert figures['accuracy'] > 0.7
    assert f'{NEURON_TYPES[kind].__name__} neurons (tau' in (tmp_path / 'README.md').read_text()


def test_training_writes_its_card_with_the_figures_measured(trained):
    card = (trained / 'README.md').read_text()
    for heading in ('Data', 'Network', 'Validation', 'Damaged images', 'Intended use', 'Limits'):
        assert f'## {heading}' in card
    assert '| images | 40 |' in card
    assert '80 held out of the same set' in card
    assert '40 to fit the readout, and 40 others' in card
    model = load_model(trained)
    figures = yaml.safe_load((trained / 'model.yaml').read_text())['training']['validation']
    assert f'| accuracy on spikes | {100 * figures["accuracy"]:.2f} % |' in card
    assert f'score reaches {model.readout.confidence_threshold:.4g}' in card


def test_training_draws_the_pictures_of_the_card(trained):
    linked = re.findall(r'\]\((\w+\.png)\)', (trained / 'README.md').read_text())
    assert {'curves.png', 'time.png', 'calibration.png'} <= set(linked)
    assert set(linked) == {path.name for path in trained.glob('*.png')}
    for name in linked:
        assert cv2.imread(str(trained / name)).std() > 5


def test_the_stored_threshold_costs_no_more_than_the_recipe_allows(trained):
    model = load_model(trained)
    assert model.readout.confidence_threshold < 1
    fitted, _ = halves(divide(tiny_dataset(), tiny_recipe())[1], 0)
    rates = create_simulator(model, 'rate')
    late = replace(model, readout=replace(model.readout, confidence_threshold=1.0))
    own, end = (
        evaluate(create_simulator(each, 'event'), rates, fitted).accuracy for each in (model, late)
    )
    assert own >= end - tiny_recipe().accuracy_cost


def test_a_single_class_is_refused(tmp_path):
    one = tiny_dataset().first_of_each(400)
    one = Dataset(one.images, np.zeros_like(one.labels), ('all',))
    with pytest.raises(DatasetError, match='the class all alone'):
        train(tiny_recipe(), one, tmp_path / 'out')


def test_the_log_tells_of_every_epoch_of_both_stages(trained):
    log = (trained / 'training.log').read_text()
    for line in ('rates: epoch 1 of 3', 'rates: epoch 3 of 3', 'spikes: epoch 1 of 1'):
        assert line in log
    assert 'rates: computing in float32, as the recipe says so' in log
    assert re.search(r'spikes: computing in \w+, as this processor has', log)


def test_the_model_knows_what_it_does_not_know_and_its_card_says_how_well(trained):
    model = load_model(trained)
    assert (model.unknown.section.groups, model.directions) == (4, 16)
    card = (trained / 'README.md').read_text()
    assert '## What it does not know' in card
    assert (trained / 'unknown.png').exists()
    figures = read_description(trained / 'model.yaml').training['validation']['unknown']
    assert figures['dark']['auroc'] > 0.9
    assert f'{figures["noise"]["auroc"]:.3f}' in card


def test_the_score_of_being_unknown_is_fitted_again_by_one_call(finished):
    model = load_model(finished)
    before = read_description(finished / 'model.yaml').training
    save_model(without_unknown(model), finished, before)
    again = learn_again(finished, tiny_recipe(), tiny_dataset())
    assert again.unknown.section == model.unknown.section
    assert load_model(finished).unknown.section == model.unknown.section
    assert read_description(finished / 'model.yaml').training == before


def test_no_image_that_is_measured_on_has_a_say_in_the_readout(trained):
    recipe = tiny_recipe()
    training, validation = divide(tiny_dataset(), recipe)
    _, measured = halves(validation, recipe.seed)
    is_measured = (validation.images[:, None] == measured.images).all(axis=(2, 3, 4)).any(axis=1)
    assert is_measured.sum() == 40
    black = replace(validation, images=validation.images * ~is_measured[:, None, None, None])
    model = load_model(trained)
    findings = measure(model, training, black, 'cpu', recipe.accuracy_cost, recipe.seed)
    assert findings.model.readout == model.readout
    # All of them look alike: at most one of the four classes is right.
    assert findings.figures['accuracy'] <= 0.3


@pytest.fixture
def finished(trained, tmp_path):
    """A copy of the finished training that a test may go on with."""
    return shutil.copytree(trained, tmp_path / 'finished')


def replaced(dataset, count=40):
    """`dataset` with other pictures in the place of the first ones, as many as before."""
    images = dataset.images.copy()
    images[:count] = 255 - images[:count]
    return replace(dataset, images=images)


@pytest.mark.parametrize('removed', ['nothing', 'checkpoints', 'model.yaml'])
def test_a_folder_with_a_training_on_as_many_other_images_is_refused(finished, removed):
    path = finished / removed
    if path.is_dir():
        shutil.rmtree(path)
    elif path.is_file():
        path.unlink()
    before = {path: path.read_bytes() for path in finished.rglob('*') if path.is_file()}
    message = (
        'is of other data' if removed == 'model.yaml' else 'not, .* trained on the same images'
    )
    with pytest.raises(RecipeError, match=message) as caught:
        train(tiny_recipe(), replaced(tiny_dataset()), finished)
    assert 'choose another output folder' in str(caught.value)
    after = {path: path.read_bytes() for path in finished.rglob('*') if path.is_file()}
    assert set(after) == set(before)
    assert {path.name for path in before if after[path] != before[path]} <= {'training.log'}


def test_the_same_training_again_only_measures_again(finished):
    before = load_model(finished)
    (finished / 'README.md').unlink()
    again = train(tiny_recipe(), tiny_dataset(), finished)
    log = (finished / 'training.log').read_text()
    assert 'rates: resumed at step 30 of 30' in log
    assert log.count('computing in') == 2
    assert again.readout == before.readout
    for weights, expected in zip(again.weights, before.weights, strict=True):
        assert np.array_equal(weights.kernel, expected.kernel)
    assert (finished / 'README.md').exists()


def test_the_model_says_which_damage_its_training_had(finished):
    description = (finished / 'model.yaml').read_text()
    assert yaml.safe_load(description)['training']['seen_damages'] == []
    card = (finished / 'README.md').read_text()
    assert '| fog | ' in card
    assert '| mean of the 18 kinds | ' in card
    assert 'similar' not in card


def test_a_model_without_its_checkpoints_is_measured_again(finished):
    shutil.rmtree(finished / 'checkpoints')
    path = finished / 'model.yaml'
    before = path.read_text()
    path.write_text(re.sub(r'accuracy: [01].\d+', 'accuracy: 0.5', before))
    measure_again(finished, tiny_recipe(), tiny_dataset())
    assert path.read_text() == before
    with pytest.raises(DatasetError, match='was trained on other data'):
        measure_again(finished, tiny_recipe(), replaced(tiny_dataset()))


@pytest.fixture
def refused_in_the_midst(tmp_path):
    """A training on two images a class that is refused when its log is open already."""
    (tmp_path / 'checkpoints').mkdir()
    (tmp_path / 'checkpoints/rates.safetensors').write_bytes(b'?')
    recipe = tiny_recipe(validation_images=0.2)

    def attempt():
        with pytest.raises(RecipeError, match='is damaged'):
            train(recipe, tiny_dataset().first_of_each(2), tmp_path)
        return (tmp_path / 'training.log').read_text()

    return attempt


def test_training_gives_the_log_of_the_process_back(refused_in_the_midst, caplog):
    log = logging.getLogger('snn_perception.training')
    caplog.set_level(logging.ERROR, log.name)
    before = log.handlers[:]
    assert 'training and' in refused_in_the_midst()
    assert (log.level, log.handlers) == (logging.ERROR, before)


def test_the_log_warns_of_too_few_images(refused_in_the_midst, caplog):
    text = refused_in_the_midst()
    for log in (text, caplog.text):
        assert 'there are only 2 validation images' in log
        assert 'on a single image an accuracy may be off by 100 points' in log


def images_of(counts):
    labels = np.repeat(np.arange(len(counts)), list(counts.values()))
    return Dataset(np.zeros((len(labels), 8, 8, 1), np.uint8), labels, tuple(counts))


@pytest.mark.parametrize(
    ('learned', 'held_out', 'expected'),
    [
        ({'cup': 400, 'can': 200}, {'cup': 40, 'can': 20}, []),
        (
            {'cup': 300, 'can': 30, 'key': 5},
            {'cup': 60, 'can': 6, 'key': 1},
            ['next to cup (360 images), the network will hardly ever answer can (36), key (6)'],
        ),
        (
            {'cup': 200, 'can': 90},
            {'cup': 40, 'can': 0},
            ['no validation image is of the class can'],
        ),
        (
            {'cup': 4, 'can': 4},
            {'cup': 2, 'can': 2},
            ['only 4 validation images, 2 to fit the readout and 2 to measure; on 2 images an '],
        ),
    ],
)
def test_images_of_which_no_good_model_comes_are_told_of(learned, held_out, expected):
    found = shortcomings(images_of(learned), images_of(held_out))
    assert len(found) == len(expected)
    for sentence, part in zip(found, expected, strict=True):
        assert part in sentence


def with_takes(dataset, *takes):
    return replace(dataset, takes=np.array(takes))


def test_takes_from_which_no_honest_figures_come_are_told_of():
    learned = with_takes(images_of({'cup': 30, 'can': 30}), *[0] * 15, *[1] * 15, *[2] * 30)
    held_out = with_takes(images_of({'cup': 30, 'can': 30}), *[3] * 30, *[4] * 30)
    [lonely] = shortcomings(learned, held_out)
    assert 'of the class can a single take is left to learn from' in lonely
    held_out = with_takes(images_of({'cup': 30, 'can': 30}), *[3] * 30, *[2] * 30)
    [divided] = shortcomings(learned, held_out)
    assert 'only one take of the class can: its last frames are the validation' in divided


def test_the_log_says_that_whole_takes_are_held_out(tmp_path, caplog):
    dataset = tiny_dataset(200)
    dataset = replace(dataset, takes=np.arange(200) // 20 * 4 + dataset.labels)
    train(tiny_recipe(validation_images=40), dataset, tmp_path)
    assert 'whole takes are held out for validation: 8 of 40' in caplog.text
    assert 'whole takes' in (tmp_path / 'training.log').read_text()


def test_no_more_images_of_the_takes_held_out_are_measured_on_than_the_recipe_asks_for():
    dataset = replace(tiny_dataset(80), takes=np.arange(80) // 40 * 4 + tiny_dataset(80).labels)
    training, validation = divide(dataset, tiny_recipe(validation_images=12))
    assert (len(training), len(validation)) == (40, 12)
    assert np.bincount(validation.labels).tolist() == [3, 3, 3, 3]
    assert not set(training.takes) & set(validation.takes)


def test_data_too_small_to_hold_out_takes_is_refused(tmp_path):
    dataset = replace(tiny_dataset(8), takes=np.zeros(8, np.int64))
    few = dataset.subset(np.array([0, 1, 2, 3, 4]))
    with pytest.raises(DatasetError, match='of 5 images only 1 can be held out for validation'):
        train(tiny_recipe(validation_images=0.5), few, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_nothing_is_written_for_data_that_cannot_be_split(tmp_path):
    with pytest.raises(DatasetError):
        train(tiny_recipe(validation_images=10_000), tiny_dataset(), tmp_path / 'out')
    assert not (tmp_path / 'out').exists()
