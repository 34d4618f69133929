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

from snn_perception.reporting.tables import aligned, from_figures, markdown

ROWS = [
    {'layer': '0 dense', 'cores': 12, 'error': 0.123456789},
    {'layer': '1', 'cores': 3, 'error': 0.0},
]


def test_figures_become_rows_under_their_names():
    assert from_figures(ROWS) == [
        ['layer', 'cores', 'error'],
        ['0 dense', '12', '0.123457'],
        ['1', '3', '0'],
    ]


def test_columns_are_aligned_on_a_screen():
    head, first, second = aligned(from_figures(ROWS))
    assert head == 'layer    cores  error'
    assert first == '0 dense  12     0.123457'
    assert second == '1        3      0'


def test_a_table_is_markdown_with_a_rule_under_its_head():
    assert markdown([['a', 'b'], ['1', '2']]) == '| a | b |\n|---|---|\n| 1 | 2 |'
