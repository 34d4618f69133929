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

"""The table of parameters, and the configuration file that repeats it."""

from __future__ import annotations

from array import array
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from snn_perception.backends import BACKENDS
from snn_perception.energy import chip_names
from snn_perception.nodes.parameters.camera_parameters import CameraParameters
from snn_perception.nodes.parameters.classifier_parameters import ClassifierParameters
from snn_perception.nodes.parameters.collect_parameters import CollectParameters
from snn_perception.nodes.parameters.event_camera_parameters import EventCameraParameters
from snn_perception.nodes.parameters.event_parameters import EventClassifierParameters
from snn_perception.nodes.parameters.parameter_kinds import Change, Parameter, table

CONFIG = Path(__file__).parents[3] / 'config'
CONFIGURATION = CONFIG / 'classify.yaml'
FILES = {
    '/**/snn_classifier': CONFIGURATION,
    '/**/camera': CONFIGURATION,
    '/**/snn_collect': CONFIG / 'collect.yaml',
    '/**/event_classifier': CONFIG / 'event_classify.yaml',
    '/**/event_camera': CONFIG / 'event_classify.yaml',
}
NODES = {
    '/**/snn_classifier': ClassifierParameters,
    '/**/camera': CameraParameters,
    '/**/snn_collect': CollectParameters,
    '/**/event_classifier': EventClassifierParameters,
    '/**/event_camera': EventCameraParameters,
}

FRACTION = Parameter('fraction', 0.5, 'A part of one.', minimum=0.0, maximum=1.0)
COUNT = Parameter('count', 3, 'How many.', minimum=1, maximum=10)
COLOUR = Parameter('colour', 'red', 'Which colour.', choices=('red', 'green'))
SWITCH = Parameter('switch', True, 'Whether.')
PLACE = Parameter('place', (0, 0), 'Where.', minimum=0, maximum=9, length=2)
RANGE = Parameter('range', (0.0, 1.0), 'From where to where.', length=2)
NAMES = Parameter('names', ('one',), 'Who.')


def values_in(node: str) -> dict:
    return yaml.safe_load(FILES[node].read_text())[node]['ros__parameters']


@pytest.mark.parametrize('file', set(FILES.values()))
def test_configuration_files_are_of_the_nodes(file: Path) -> None:
    assert set(yaml.safe_load(file.read_text())) == {n for n in FILES if FILES[n] == file}


@pytest.mark.parametrize('node', NODES)
def test_configuration_file_gives_every_parameter_its_default(node: str) -> None:
    given = values_in(node)
    assert list(given) == [parameter.name for parameter in table(NODES[node])]
    for parameter in table(NODES[node]):
        value = given[parameter.name]
        assert parameter.coerce(value) == parameter.default
        first = value[0] if parameter.is_list else value
        assert type(first) is parameter.kind, f'{parameter.name} must be 0.0-like'


@pytest.mark.parametrize('node', NODES)
def test_every_parameter_is_described_in_a_sentence_and_its_default_is_valid(node: str) -> None:
    for parameter in table(NODES[node]):
        assert parameter.description.endswith('.')
        assert len(parameter.description) > 10
        assert parameter.check(parameter.default) == parameter.default


@pytest.mark.parametrize('name', [*chip_names(), *BACKENDS])
def test_configuration_file_names_all_chips_and_engines(name: str) -> None:
    assert name in CONFIGURATION.read_text()


@pytest.mark.parametrize('node', ['/**/snn_classifier', '/**/snn_collect', '/**/event_classifier'])
def test_configuration_file_marks_what_can_change_when(node: str) -> None:
    lines = FILES[node].read_text().splitlines()
    for parameter in table(NODES[node]):
        line = next(line for line in lines if line.strip().startswith(f'{parameter.name}:'))
        assert ('# *' in line) == (parameter.change is Change.LIVE)
        assert ('# +' in line) == (parameter.change is Change.RELOADS)


def test_whole_number_will_do_for_a_float() -> None:
    value = FRACTION.check(1)
    assert value == 1.0
    assert isinstance(value, float)


def test_whole_number_will_do_for_text_such_as_that_of_a_webcam() -> None:
    assert Parameter('source', 'folder', 'What to show.').check(0) == '0'


@pytest.mark.parametrize(
    ('parameter', 'value', 'sentence'),
    [
        (FRACTION, 1.5, 'fraction must be between 0.0 and 1.0, not 1.5'),
        (FRACTION, -0.1, 'fraction must be between 0.0 and 1.0, not -0.1'),
        (FRACTION, float('nan'), 'fraction must be between 0.0 and 1.0, not nan'),
        (FRACTION, '0.5', "fraction must be a number, not '0.5'"),
        (FRACTION, True, 'fraction must be a number, not True'),
        (COUNT, 0, 'count must be between 1 and 10, not 0'),
        (COUNT, 2.0, 'count must be a whole number, not 2.0'),
        (COUNT, True, 'count must be a whole number, not True'),
        (COLOUR, 'blue', "colour must be one of red, green, not 'blue'"),
        (COLOUR, 1, "colour must be one of red, green, not '1'"),
        (COLOUR, 1.5, 'colour must be text, not 1.5'),
        (COLOUR, True, 'colour must be text, not True'),
        (SWITCH, 1, 'switch must be true or false, not 1'),
        (SWITCH, None, 'switch must be true or false, not None'),
        (PLACE, [1, 2, 3], 'place must be a list of 2 whole numbers, not [1, 2, 3]'),
        (PLACE, 1, 'place must be a list of 2 whole numbers, not 1'),
        (PLACE, '12', "place must be a list of 2 whole numbers, not '12'"),
        (PLACE, [1, 2.0], 'place must be a list of 2 whole numbers, not 2.0'),
        (PLACE, [1, 10], 'place must be between 0 and 9, not 10'),
        (NAMES, [], 'names must be a list of texts, not []'),
        (NAMES, 'one', "names must be a list of texts, not 'one'"),
        (COLOUR, 'x' * 1000, f"colour must be one of red, green, not '{'x' * 27}...{'x' * 28}'"),
    ],
)
def test_wrong_value_is_refused_with_a_sentence(
    parameter: Parameter, value: object, sentence: str
) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011
        parameter.check(value)
    assert str(refusal.value) == sentence


def test_list_will_do_in_whatever_holds_it() -> None:
    assert PLACE.check([1, 2]) == PLACE.check(array('q', [1, 2])) == (1, 2)
    assert RANGE.check([0, 2]) == (0.0, 2.0)
    assert NAMES.check(['a', 'b', 'c']) == ('a', 'b', 'c')


@pytest.mark.parametrize(
    ('values', 'sentence'),
    [
        ({'image_topics': ('a', 'a')}, 'image_topics must be from 1 to 16 different names'),
        ({'image_topics': ('a', '')}, 'image_topics must be'),
        ({'float_range': (1.0, 1.0)}, 'float_range must be black and a larger number for white'),
        ({'significant_bits': 7}, 'significant_bits must be from 8 to 16, or 0, not 7'),
    ],
)
def test_values_that_do_not_agree_are_refused(values: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=f'^{sentence}'):
        ClassifierParameters(**values)


def test_range_includes_its_ends() -> None:
    assert [COUNT.check(value) for value in (1, 10)] == [1, 10]


def test_defaults_alone_make_a_valid_set_of_parameters() -> None:
    assert replace(ClassifierParameters()) == ClassifierParameters()
    assert ClassifierParameters().model == 'mnist'
