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

"""Names that a class, and so its folder, may have."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from snn_perception.datasets.finding import is_clutter
from snn_perception.datasets.labels import plain
from snn_perception.datasets.layout import PARTS
from snn_perception.sentences import shown

LONGEST = 100
"""Bytes in UTF-8; file systems take 255."""


def checked_name(name: str, known: Iterable[str]) -> str:
    """`name` without spaces around it, if a class may be called that beside the `known` ones.

    Raises ValueError with a sentence if not.
    """
    name = unicodedata.normalize('NFC', name.strip())
    fault = _fault(name)
    if fault:
        raise ValueError(f'a class cannot be called {shown(name)}: {fault}')
    known = set(known)
    for other in sorted(known - {name}) if name not in known else ():
        if plain(other) == plain(name):
            raise ValueError(
                f'a class cannot be called {shown(name)}: there is {shown(other)}, and names that '
                f'differ only in capital letters, spaces or _ are the same'
            )
    return name


def _fault(name: str) -> str:
    """What is wrong with `name` as that of a folder, as half a sentence; '' if nothing."""
    if not name:
        return 'it needs a name'
    if not name.isprintable():
        return 'it has a control character, or one that cannot be shown'
    if '/' in name or '\\' in name:
        return 'it has a slash, which is for folders'
    if is_clutter(name):
        return 'it begins with a dot, or is what systems leave behind'
    if name.lower() in PARTS:
        return 'a folder of that name is a part of a data set, and no class'
    size = len(name.encode('utf-8', 'surrogatepass'))
    if size > LONGEST:
        return f'it has {size} bytes, and may have {LONGEST}'
    return ''
