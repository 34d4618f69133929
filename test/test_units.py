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

"""Figures with units."""

from __future__ import annotations

import pytest

from snn_perception.units import quantity


@pytest.mark.parametrize(
    ('value', 'text'),
    [
        (12.34e-6, '12.3 uJ'),
        (1e-6, '1 uJ'),
        (0.9996e-3, '1 mJ'),
        (0.00042, '420 uJ'),
        (0.0, '0 J'),
        (5.0, '5 J'),
        (1500.0, '1.5 kJ'),
        (3e-20, '3e-08 pJ'),
        (float('nan'), '-'),
    ],
)
def test_quantity_has_three_digits_and_a_prefix(value: float, text: str) -> None:
    assert quantity(value, 'J') == text
