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

"""Reading the files in which Linux shows a device, one value in each."""

from __future__ import annotations

from pathlib import Path

from snn_perception.power.base import Unreadable


def read_text(path: Path) -> str:
    """The line in the file `path`; raises Unreadable."""
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as reason:
        sentence = reason.strerror if isinstance(reason, OSError) else 'it is not text'
        raise Unreadable(f'{path} cannot be read: {sentence}') from reason


def read_integer(path: Path) -> int:
    """The integer in the file `path`; raises Unreadable."""
    text = read_text(path)
    try:
        return int(text)
    except ValueError:
        raise Unreadable(f'{path} must hold an integer, not {text[:20]!r}') from None
