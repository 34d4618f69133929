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
import re

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from random_models import random_images, random_model

from snn_perception import create_simulator, energy, load_model
from snn_perception.backends.loihi.mapping import place
from snn_perception.locations import share_directory
from snn_perception.neurons import Theta

MODEL = random_model()
CHIPS, RIVALS = energy.prices().chips, energy.prices().rivals
ONE_OF_EACH = {name: 1 for name, chip in CHIPS.items() if chip.static}


@pytest.fixture(scope='module')
def decision():
    return create_simulator(MODEL, 'reference').classify_batch(random_images(MODEL, 1))[0]


def with_counts(decision, operations, updates):
    """`decision` with other counts, all in its first layer."""
    counts = {
        name: np.eye(1, len(getattr(decision.activity, name)), dtype=np.int64)[0] * count
        for name, count in (('synaptic_operations', operations), ('neuron_updates', updates))
    }
    activity = dataclasses.replace(decision.activity, **counts)
    return dataclasses.replace(decision, activity=activity)


def test_every_chip_and_rival_names_its_source():
    for entry in (*CHIPS.values(), *RIVALS.values()):
        assert len(entry.source) > 20
        assert entry.title


def test_chips_without_a_published_figure_are_not_listed():
    assert 'loihi2' not in CHIPS
    assert set(CHIPS) >= {'loihi', 'truenorth', 'spinnaker', 'spinnaker2', 'cmos45'}


def test_energy_is_the_priced_sum_of_what_was_counted(decision):
    operations = decision.activity.synaptic_operations.sum()
    updates = decision.activity.neuron_updates.sum()
    dynamic = operations * 23.6e-12 + updates * 81e-12 + decision.macs * 4.6e-12
    cost = energy.estimate(decision, ONE_OF_EACH)['loihi']
    assert cost.value == pytest.approx(dynamic + cost.static)
    assert cost.static == pytest.approx(0.104 * decision.simulated_time)


@given(operations=st.integers(0, 10**12), updates=st.integers(0, 10**10))
def test_the_value_is_within_its_range_and_grows_with_what_is_counted(
    decision, operations, updates
):
    less = energy.estimate(with_counts(decision, operations, updates), ONE_OF_EACH)
    more = energy.estimate(with_counts(decision, operations + 10**6, updates + 10**6), ONE_OF_EACH)
    for name, cost in less.items():
        assert 0 < cost.low <= cost.value <= cost.high
        assert more[name].value > cost.value
        assert more[name].static == cost.static <= cost.value


def test_static_power_is_that_of_whole_chips_for_the_simulated_time(decision):
    static = CHIPS['spinnaker'].static
    one = energy.estimate(decision, ONE_OF_EACH)['spinnaker'].static
    assert one == pytest.approx(static.value * decision.simulated_time)
    several = energy.estimate(decision, {**ONE_OF_EACH, 'spinnaker': 3})
    assert several['spinnaker'].static == pytest.approx(3 * one)
    assert several['loihi'] == energy.estimate(decision, ONE_OF_EACH)['loihi']


def test_there_are_as_many_chips_as_the_neurons_of_all_views_need():
    network, held = MODEL.network, CHIPS['spinnaker'].static.neurons
    views = held // network.neurons + 1
    assert energy.count_chips(network, 1)['spinnaker'] == 1
    assert energy.count_chips(network, views)['spinnaker'] == 2


def test_of_loihi_there_are_as_many_chips_as_the_mapping_takes():
    cifar10 = load_model('cifar10')
    placement = place(cifar10.network, 2)
    assert placement.chips > 1
    assert energy.count_chips(cifar10.network, 2)['loihi'] == placement.chips


def test_of_loihi_there_are_as_many_chips_as_the_neurons_need_where_no_mapping_fits():
    network = dataclasses.replace(MODEL.network, neuron=Theta())
    assert place(network).excess
    views = CHIPS['loihi'].static.neurons // network.neurons + 1
    assert energy.count_chips(network, views)['loihi'] == 2


def test_a_figure_for_everything_is_not_charged_twice(decision):
    chip = CHIPS['truenorth']
    assert chip.static is None
    assert chip.update.high == 0
    assert energy.estimate(decision, ONE_OF_EACH)['truenorth'].static == 0


def test_silence_costs_only_updates_the_analog_layer_and_static_power(decision):
    updates = int(decision.activity.neuron_updates.sum())
    silent = energy.estimate(with_counts(decision, 0, updates), ONE_OF_EACH)
    for chip, cost in energy.estimate(decision, ONE_OF_EACH).items():
        assert 0 < silent[chip].value < cost.value


def test_the_mean_of_estimates_is_that_of_each_figure(decision):
    many = [
        energy.estimate(with_counts(decision, count, 0), ONE_OF_EACH)
        for count in (1000, 5000, 9000)
    ]
    means = energy.mean(many)
    for name in CHIPS:
        assert means[name].value == pytest.approx(many[1][name].value)
        assert means[name].high == pytest.approx(many[1][name].high)


def test_a_rival_pays_for_every_multiply_accumulate():
    costs = energy.estimate_rivals(2_000_000)
    assert costs['cmos45'].value == pytest.approx(9.2e-6)
    assert costs['cmos45_int8'].value < 0.1 * costs['cmos45'].value
    assert all(cost.low <= cost.value <= cost.high for cost in costs.values())


@pytest.mark.parametrize(
    ('section', 'entry', 'field', 'value', 'message'),
    [
        ('chips', 'loihi', 'operation', (1, 2, 3), 'low, value and high of operation must be in'),
        ('chips', 'loihi', 'update', (1, -1, 1), 'low, value and high of update must be in'),
        ('chips', 'loihi', 'static', (2, 1, float('inf')), 'low, value and high of static must'),
        ('rivals', 'cmos45', 'mac', (float('nan'), 0, 1), 'low, value and high of mac must be in'),
        ('rivals', 'cmos45', 'mac', ('dear', 0, 1), "mac.value must be a number, not 'dear'"),
    ],
)
def test_a_wrong_figure_is_refused_by_file_and_field(
    tmp_path, section, entry, field, value, message
):
    content = shipped_prices()
    content[section][entry][field] |= dict(zip(('value', 'low', 'high'), value, strict=True))
    assert_refused(tmp_path, content, f'{section}.{entry}: {message}')


def test_entries_that_cannot_be_are_refused_by_file_and_field(tmp_path):
    content = shipped_prices()
    content['chips']['loihi']['static']['neurons'] = 0
    assert_refused(tmp_path, content, 'chips.loihi: neurons of static must be at least 1, not 0')
    content = shipped_prices()
    content['chips']['loihi']['first_layer'] = 'abacus'
    assert_refused(tmp_path, content, 'first_layer of loihi must be a rival, not abacus')
    assert_refused(tmp_path, {**shipped_prices(), 'chips': {'loihi': 5}}, 'chips')
    assert_refused(tmp_path, {'chips': {}}, 'rivals is missing')


def test_the_chip_that_reports_show_cannot_be_left_out(tmp_path):
    content = shipped_prices()
    del content['chips'][energy.DEFAULT_CHIP]
    assert_refused(tmp_path, content, 'chips must have loihi, which reports show')


def shipped_prices():
    return yaml.safe_load((share_directory() / 'config' / 'energy.yaml').read_text())


def assert_refused(folder, content, message):
    path = folder / 'energy.yaml'
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        energy.read_prices(path)
    assert str(caught.value).startswith(f'{path}: ')
