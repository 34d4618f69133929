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

import re
from dataclasses import dataclass

import pytest
import yaml

from snn_perception.yaml_files import build, read_yaml


def test_a_yaml_file_too_large_is_refused_unread(tmp_path):
    path = tmp_path / 'large.yaml'
    path.write_text('a: 1\n' * 300_000)
    with pytest.raises(ValueError, match='larger than'):
        read_yaml(path)


@pytest.mark.parametrize(
    'value',
    [
        *('!!int ""', '!!bool x', '!!float x', '!!timestamp x', '!!binary x', '2024-13-45'),
        *('9' * 5000, '"\\ud800"', '&a [*a]', '&a {b: *a}', '[' * 2000, '!!python/none x'),
        # Ten values ten times over, and that ten times over, eight times.
        '[' + ', '.join(f'&{i} [' + f'*{i - 1}, ' * 10 * (i > 0) + ']' for i in range(9)) + ']',
    ],
)
def test_a_value_that_is_none_is_refused_as_the_fault_of_the_file(tmp_path, value):
    path = tmp_path / 'odd.yaml'
    path.write_text(f'time: {value}\n')
    with pytest.raises(ValueError, match=f'{path} is not valid YAML: ') as caught:
        read_yaml(path)
    assert '\n' not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_values_may_refer_to_others(tmp_path):
    path = tmp_path / 'references.yaml'
    path.write_text('a: &one [1, 2]\nb: [*one, *one]\nc: {<<: {d: 3}}\n')
    assert read_yaml(path) == {'a': [1, 2], 'b': [[1, 2], [1, 2]], 'c': {'d': 3}}


@dataclass(frozen=True)
class Inner:
    sizes: tuple[int, int]


@dataclass(frozen=True)
class Outer:
    labels: tuple[str, ...] = ()
    shares: tuple[float, ...] | None = None
    inner: Inner | None = None
    title: str = ''
    count: int = 0
    time: float = 0.0


def test_lists_become_tuples_of_their_type():
    content = yaml.safe_load('{labels: [a, "0"], shares: [1, 0.5], inner: {sizes: [2, 3]}}')
    assert build(Outer, content, 'x') == Outer(('a', '0'), (1.0, 0.5), Inner((2, 3)))


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('labels: abc', "labels must be a list of texts, not 'abc'"),
        ('labels: ""', "labels must be a list of texts, not ''"),
        ('labels: {a: 1}', "labels must be a list of texts, not {'a': 1}"),
        ('labels: 7', 'labels must be a list of texts, not 7'),
        ('labels: [0, 1]', 'labels must be a list of texts, not of 0, 1: put quotes around'),
        ('labels: [a, yes, no]', 'labels must be a list of texts, not of True, False: put quotes'),
        ('labels: [a, ~]', 'labels must be a list of texts, not of None: put quotes around'),
        ('shares: "12"', "shares must be a list of numbers, not '12'"),
        ('shares: [a]', 'shares must be '),
        ('inner: {sizes: "23"}', "inner.sizes must be a list of 2 whole numbers, not '23'"),
        ('inner: {sizes: [2, x]}', "inner.sizes must be a list of 2 whole numbers, not [2, 'x']"),
        ('inner: {sizes: [2]}', 'inner.sizes must be a list of 2 whole numbers, not [2]'),
        (
            'inner: {sizes: [2, 3, 4]}',
            'inner.sizes must be a list of 2 whole numbers, not [2, 3, 4]',
        ),
        ('shares: [yes]', 'shares must be a number, not True'),
        ('time: yes', 'time must be a number, not True'),
        ('title: no', 'title must be text, not False: put quotes around'),
        ('count: yes', 'count must be a whole number, not True'),
        (f'time: {"9" * 400}', 'time must be a number, not 9'),
        (f'time: {"[" * 300}{"]" * 300}', 'time must be a number, not [[[[...]]]]'),
        (f'time: {"x" * 10_000}', 'time must be a number, not '),
    ],
)
def test_what_is_no_such_list_or_text_is_refused_with_what_would_be(text, message):
    with pytest.raises(ValueError, match=re.escape(f'x.yaml: {message}')) as caught:
        build(Outer, yaml.safe_load(text), 'x.yaml')
    assert len(str(caught.value)) < 300
