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

"""The upper bits of the time in Prophesee's encodings, of which single bits are wrong at times.

They come in words of their own, far more often than they change: every 16 us from the cameras.
One more than before is usual. Any other change must not be contradicted by the next such word.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from snn_perception.compiled import part

TIME_HIGH = 8
"""The kind of word."""

UNDECIDED = 2**40
CONTRADICTED = 2**41
"""Instead of a change."""

NEAR = 4
"""So little after the old time, the next one speaks for it."""


@part()
def change_of_time(words: Any, index: Any, old: Any, bits: Any, most_back: Any, final: Any) -> Any:
    """By how much the word at `index`, of the upper bits of the time, changes the `old` ones.

    Also UNDECIDED, if the next of its kind is not in `words` and more may follow, unless `final`;
    or CONTRADICTED by it. A word has `bits` bits after the four that say what it is; what is up
    to `most_back` less than `old` is that, and what is even less has wrapped round.
    """
    mask = (1 << bits) - 1
    value = np.int64(words[index]) & mask
    change = (value - old) & mask
    if change == 1:
        return change
    is_decided = final
    for later in range(index + 1, len(words)):
        word = np.int64(words[later])
        if word >> bits == TIME_HIGH:
            following = (word - old) & mask
            if following <= NEAR and following < (word - value) & mask:
                return np.int64(CONTRADICTED)
            is_decided = True
            break
    if not is_decided:
        return np.int64(UNDECIDED)
    return change - mask - 1 if change > mask - most_back else change
