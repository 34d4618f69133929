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

"""Sentences and names that stay short, whatever they have to quote."""

from __future__ import annotations

import reprlib
from typing import Any

LONGEST_SENTENCE = 400
"""Letters."""

_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 3, 60, 60


def shown(value: Any) -> str:
    """`value` as messages show it: on one line, and only the beginning of what is long."""
    return _SHORT.repr(value)


def sentence(reason: object) -> str:
    """The text of an exception on one line, and only the beginning of what is long."""
    words = ' '.join(str(reason).split())
    return words if len(words) <= LONGEST_SENTENCE else f'{words[:LONGEST_SENTENCE]} ...'


def shortened(name: str, longest: int) -> str:
    """`name`, or its beginning and an ellipsis, at most `longest` letters in all.

    Of a label with several names, such as 'tench, Tinca tinca', the first is enough.
    """
    if len(name) > longest:
        name = name.partition(',')[0]
    return name if len(name) <= longest else name[: longest - 1] + '…'
