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

"""What becomes of files with networks that cannot be read."""

from __future__ import annotations

import pytest

from snn_perception.interchange.analog import Analog, ConversionError, read_analog


def refusal(path):
    """The sentence with which `path` is refused."""
    with pytest.raises(ConversionError) as caught:
        read_analog(path)
    sentence = str(caught.value)
    assert '\n' not in sentence
    assert sentence.startswith(f'{path}: ')
    assert len(sentence) < 700
    return sentence.removeprefix(f'{path}: ')


def is_read(path):
    """Whether `path` is read, and not refused with a sentence; anything else fails the test."""
    try:
        return isinstance(read_analog(path), Analog)
    except ConversionError:
        refusal(path)
        return False
