from __future__ import annotations

import cv2
import pytest
from tiny_training import tiny_dataset, tiny_recipe

from snn_perception import create_simulator, load_model
from snn_perception.evaluation import evaluate
from snn_perception.training.datasets import DatasetError, split
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


def test_training_writes_its_card_with_the_figures_measured(trained):
    card = (trained / 'README.md').read_text()
    for heading in ('Data', 'Network', 'Recipe', 'Validation', 'Intended use', 'Limits'):
        assert f'## {heading}' in card
    assert '| images | 80 |' in card


@pytest.mark.parametrize('picture', ['curves.png', 'confusion.png'])
def test_training_draws_pictures(trained, picture):
    image = cv2.imread(str(trained / picture))
    assert image.std() > 5


def test_the_log_tells_of_every_epoch_of_both_stages(trained):
    log = (trained / 'training.log').read_text()
    for line in ('rates: epoch 1 of 3', 'rates: epoch 3 of 3', 'spikes: epoch 1 of 1'):
        assert line in log


def test_nothing_is_written_for_data_that_cannot_be_split(tmp_path):
    with pytest.raises(DatasetError):
        train(tiny_recipe(validation_images=10_000), tiny_dataset(), tmp_path / 'out')
    assert not (tmp_path / 'out').exists()
