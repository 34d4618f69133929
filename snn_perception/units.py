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

"""Numbers with units, for people."""

from __future__ import annotations

import math

PREFIXES = {-4: 'p', -3: 'n', -2: 'u', -1: 'm', 0: '', 1: 'k', 2: 'M', 3: 'G'}


def quantity(value: float, unit: str) -> str:
    """`value` with three significant digits and a prefix, for example '12.3 uJ'."""
    if not math.isfinite(value):
        return '-'
    exponent = 0 if value == 0 else math.floor(math.log10(abs(float(f'{value:.2e}'))) / 3)
    exponent = min(max(exponent, min(PREFIXES)), max(PREFIXES))
    return f'{value / 1000**exponent:.3g} {PREFIXES[exponent]}{unit}'
