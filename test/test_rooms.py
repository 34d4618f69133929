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

"""The order of the rooms: an import goes down the list, and no two files import each other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import snn_perception

PACKAGE = Path(snn_perception.__file__).parent

# From the top down; a room imports from floors below its own, never from its own floor or above.
FLOORS = (
    ('commands', 'demo'),
    ('nodes',),
    ('training',),
    ('reporting',),
    ('evaluation', 'benchmarking', 'online'),
    ('loading',),
    ('energy', 'power', 'interchange', 'datasets'),
    ('backends',),
    ('event_stream',),
    ('decision', 'widening', 'model_folder'),
    ('evidence', 'record'),
    ('model',),
    ('inputs', 'model_file'),
    ('unknown',),
    # A model holds its network and its readout, so both are below it.
    ('network', 'readout', 'views'),
    ('graph', 'turns'),
    ('layers', 'neurons', 'synapses', 'images', 'events'),
    (
        *('threads', 'units', 'locations', 'targets', 'requirements', 'compiled'),
        *('whole_files', 'yaml_files', 'image_files', 'pace', 'activity'),
    ),
    ('sentences',),
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

# What only some rooms may import, at any depth of their files.
KEPT_TO = {
    'rclpy': {'nodes', 'demo'},
    'torch': {'training', 'backends', 'benchmarking'},
    'matplotlib': {'reporting', 'demo'},
}


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


FILES = {name_of(path): path for path in sorted(PACKAGE.rglob('*.py'))}
FRONT = {'snn_perception', 'snn_perception.__main__'}
"""What users import and start: it knows the rooms, and no room knows it."""


def imported(name: str) -> set[str]:
    """Everything that a file imports, wherever in it, as names of files where they are ours."""
    found = set()
    for node in ast.walk(ast.parse(FILES[name].read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{name} imports relatively'
            module = str(node.module)
            within = {f'{module}.{alias.name}' for alias in node.names}
            found |= {full if full in FILES else module for full in within}
    return found


IMPORTS = {name: imported(name) for name in FILES}


def room_of(name: str) -> str:
    return name.split('.')[1]


def test_every_room_has_its_floor():
    assert {room_of(name) for name in FILES if name not in FRONT} == set(FLOOR)


@pytest.mark.parametrize('name', sorted(set(FILES) - FRONT))
def test_an_import_goes_down_and_never_to_the_front_door(name):
    room = room_of(name)
    for other in IMPORTS[name] & set(FILES):
        assert other not in FRONT, f'{name} imports from the front door'
        if room_of(other) != room:
            assert FLOOR[room_of(other)] > FLOOR[room], f'{name} must not import {other}'


def test_no_files_import_each_other_not_even_through_others():
    left = {name: IMPORTS[name] & set(FILES) - {name} for name in FILES}
    while True:
        # In a circle a file imports another one of it, and is imported by one.
        left = {name: others & set(left) for name, others in left.items()}
        round_about = {name for name in left if left[name]} & set().union(*left.values())
        if round_about == set(left):
            break
        left = {name: left[name] for name in round_about}
    assert not left, f'these go round in circles: {sorted(left)}'


@pytest.mark.parametrize('library', sorted(KEPT_TO))
def test_a_library_stays_in_its_rooms(library):
    users = {
        room_of(name)
        for name, others in IMPORTS.items()
        if any(other.split('.')[0] == library for other in others)
    }
    assert users <= KEPT_TO[library]
    assert users, f'nobody imports {library}'
