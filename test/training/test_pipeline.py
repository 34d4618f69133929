from __future__ import annotations

import re
from dataclasses import replace

import cv2
import numpy as np
import pytest
import yaml
from tiny_training import tiny_dataset, tiny_recipe

from snn_perception import create_simulator, load_model
from snn_perception.datasets import Dataset, DatasetError, split
from snn_perception.evaluation.accuracy import evaluate
from snn_perception.neurons import NEURON_TYPES
from snn_perception.training.pipeline import train


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    output = tmp_path_factory.mktemp('trained') / 'tiny'
    train(tiny_recipe(), tiny_dataset(), output)
    return output


def test_training_writes_a_model_that_is_right_on_spikes(trained):
    model = load_model(trained)
    assert model.labels == ('nw', 'ne', 'sw', 'se')
    _, validation = split(tiny_dataset(), 80, 0)
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
    assert '| images | 80 |' in card
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
    _, validation = split(tiny_dataset(), 80, 0)
    rates = create_simulator(model, 'rate')
    late = replace(model, readout=replace(model.readout, confidence_threshold=1.0))
    own, end = (
        evaluate(create_simulator(each, 'event'), rates, validation).accuracy
        for each in (model, late)
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


def test_nothing_is_written_for_data_that_cannot_be_split(tmp_path):
    with pytest.raises(DatasetError):
        train(tiny_recipe(validation_images=10_000), tiny_dataset(), tmp_path / 'out')
    assert not (tmp_path / 'out').exists()
