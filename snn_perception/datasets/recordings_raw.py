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

"""Prophesee's .raw files: a header of lines, then the words of EVT 2.0, 2.1 or 3.0."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from snn_perception.datasets.base import DatasetError
from snn_perception.events.decoding import Decoded, Decoder, decoder_for

PIECE = 2**23
"""Bytes that are decoded at once."""

LONGEST_LINE = 2**16

ENCODINGS = {
    'EVT2': 'evt2',
    'EVT21': 'evt21',
    'EVT3': 'evt3',
    '2.0': 'evt2',
    '2.1': 'evt21',
    '3.0': 'evt3',
}
"""By what the header calls them."""


def read_raw(path: Path, size: tuple[int, int] | None = None) -> Iterator[Decoded]:
    """The events of a .raw file, piece by piece; see `read_recording`."""
    with path.open('rb') as file:
        header = _header(file)
        decoder, big_endian = _decoder(path, header, size)
        while True:
            data = file.read(PIECE)
            yield decoder.decode(data, big_endian=big_endian)
            if len(data) < PIECE:
                break
    yield decoder.finish()


def _header(file: BinaryIO) -> dict[str, str]:
    """The values in the header by their names; `file` is then at the first word."""
    header: dict[str, str] = {}
    while True:
        place = file.tell()
        line = file.readline(LONGEST_LINE)
        if not line.startswith(b'% '):
            file.seek(place)
            return header
        name, _, value = line[2:].decode('utf-8', 'replace').strip().partition(' ')
        if name == 'end':
            return header
        header[name] = value


def _decoder(
    path: Path, header: dict[str, str], size: tuple[int, int] | None
) -> tuple[Decoder, bool]:
    """A decoder of what `header` describes, and whether its words are big-endian."""
    name, *options = header.get('format', header.get('evt', '')).split(';')
    if name not in ENCODINGS:
        says = f'says {name!r}' if name else 'says nothing of it'
        raise DatasetError(f'{path} must be of EVT2, EVT21 or EVT3, and its header {says}')
    named = dict(option.split('=', 1) for option in options if '=' in option)
    both = f'{named.get("width")}x{named.get("height")}'
    for said in (header.get('geometry', ''), both):
        geometry = re.fullmatch(r'(\d+)x(\d+)', said)
        if geometry:
            size = int(geometry[1]), int(geometry[2])
            break
    if size is None:
        raise DatasetError(f'{path} does not say the size of its sensor in its header, nor do you')
    encoding = ENCODINGS[name]
    order = named.get('endianness', header.get('endianness'))
    if encoding == 'evt21' and order == 'legacy':
        encoding = 'evt21_legacy'
    return decoder_for(encoding, *size), order == 'big'
