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

"""Parameters of every node that reads frames of a camera: what the numbers in them mean."""

from __future__ import annotations

from functools import partial

from snn_perception.nodes.parameters.parameter_kinds import Change, parameter

significant_bits = partial(
    parameter,
    0,
    'Bits that a camera fills in each number of a 16-bit encoding: 12 for one with 12 bits. '
    '0 for all 16.',
    minimum=0,
    maximum=16,
    change=Change.LIVE,
)
float_range = partial(
    parameter,
    (0.0, 1.0),
    'What is black and what is white in a 32FC1 image.',
    minimum=-1e9,
    maximum=1e9,
    length=2,
    change=Change.LIVE,
)


def check_numbers(bits: int, levels: tuple[float, ...]) -> None:
    """Raise ValueError for a `significant_bits` or a `float_range` that makes no sense."""
    if levels[0] >= levels[1]:
        raise ValueError(
            f'float_range must be black and a larger number for white, not {list(levels)}'
        )
    if 0 < bits < 8:
        raise ValueError(f'significant_bits must be from 8 to 16, or 0, not {bits}')
