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

"""What is whole in the files of bags that were cut, as files that can be read.

A file of MCAP says at its end what is in it, and a database of SQLite that is shorter than it says
is not opened. So the library refuses what a recorder leaves when the power fails.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import BinaryIO

MAGIC = b'\x89MCAP0\r\n'
FOOTER, CHUNK, DATA_END = 2, 6, 15
"""Kinds of records."""

HEAD = 9
"""Bytes of the kind and the length of a record."""

NAME = HEAD + 28
"""Where in a chunk the name of its compression is."""

PIECE = 2**20
"""Bytes that are copied at once."""

TABLES = ('schema', 'metadata', 'topics', 'message_definitions', 'messages')


def whole_part(source: Path, folder: Path) -> Path:
    """A file in `folder` of all that is before the cut in `source`, a .mcap or .db3 file.

    Raises OSError, and sqlite3.Error for what is no database.
    """
    target = folder / source.name
    copy = _end_mcap if source.suffix == '.mcap' else _copy_tables
    copy(source, target)
    return target


def _end_mcap(source: Path, target: Path) -> None:
    with source.open('rb') as file, target.open('wb') as copy:
        copy.write(MAGIC)
        for first, last in list(_records(file, len(MAGIC), source.stat().st_size)):
            file.seek(first)
            while first < last:
                first += copy.write(file.read(min(last - first, PIECE)))
        copy.write(_record(DATA_END, bytes(4)) + _record(FOOTER, bytes(20)) + MAGIC)


def _record(kind: int, content: bytes) -> bytes:
    return bytes([kind]) + len(content).to_bytes(8, 'little') + content


def _records(file: BinaryIO, place: int, size: int) -> Iterator[tuple[int, int]]:
    """From where to where there are whole records, from `place` on, in a file of `size` bytes."""
    begin = place
    while True:
        file.seek(place)
        head = file.read(NAME + 4)
        end = place + HEAD + int.from_bytes(head[1:HEAD], 'little')
        if len(head) < HEAD or head[0] == DATA_END or end > size:
            break
        place = end
    yield begin, place
    # What is in a chunk may be outside of one just as well.
    if len(head) == NAME + 4 and head[0] == CHUNK and not any(head[NAME:]):
        yield from _records(file, place + NAME + 4 + 8, size)


def _copy_tables(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(f'{source.absolute().as_uri()}?immutable=1', uri=True)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        # It lets SQLite open files that are shorter than they say.
        old.execute('PRAGMA writable_schema = ON')
        tables = dict(old.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
        for name in tables.keys() & set(TABLES):
            new.execute(tables[name])
            # The first row that is not there ends it.
            with suppress(sqlite3.DatabaseError):
                for row in old.execute(f'SELECT * FROM {name}'):
                    new.execute(f'INSERT INTO {name} VALUES ({",".join("?" * len(row))})', row)
        new.commit()
