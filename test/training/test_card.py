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

"""What a model card says of classes, however many there are."""

from __future__ import annotations

from snn_perception.training.card import classes


def test_a_few_classes_are_all_named() -> None:
    assert classes(('cat', 'dog')) == 'Classes: cat, dog.'
    assert classes(('crane', 'crane, machine')) == 'Classes: crane; crane, machine.'


def test_of_a_thousand_classes_some_are_named_and_it_is_said_where_the_others_are() -> None:
    said = classes(tuple(f'class {number}, thing {number}' for number in range(1000)))
    assert said.startswith('1,000 classes: class 0, thing 0; class 1, thing 1; ')
    assert said.endswith('class 9, thing 9; and 990 more; see `labels` in `model.yaml`.')
