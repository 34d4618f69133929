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

"""iniVation's .aedat4 files, by the library aedat."""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from snn_perception.datasets.base import DatasetError
from snn_perception.datasets.recordings_plain import checked
from snn_perception.events.ascending import ascend, begin
from snn_perception.events.decoder import Decoded, Faults
from snn_perception.events.stream import Events, Triggers
from snn_perception.requirements import require

logger = logging.getLogger(__name__)

EDGES = {1: 1, 2: 0}
"""Sources of triggers that are edges of an external signal, and whether it rises."""

LONGEST_LINE, LONGEST_HEADER = 2**6, 2**24


def read_aedat4(path: Path, size: tuple[int, int] | None = None) -> Iterator[Decoded]:
    """The events of an .aedat4 file, packet by packet; see `read_recording`.

    Times are those of the host's clock, since 1970. Of several cameras the first is read.
    """
    require('reading .aedat4 files', 'aedat')
    import aedat

    try:
        _check_header(path)
        packets = aedat.Decoder(path)
        streams = packets.id_to_stream()
    except BaseException as reason:
        if not _is_about_the_file(reason):
            raise
        raise DatasetError(f'{path} cannot be read: {reason}') from None
    camera = next((key for key, stream in streams.items() if stream['type'] == 'events'), None)
    if camera is None:
        raise DatasetError(f'{path} holds no events')
    width, height = streams[camera]['width'], streams[camera]['height']
    nothing = Events.none(width, height)
    of_events, of_triggers = begin(), begin()
    yield Decoded(nothing, Triggers.none(), Faults())
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            break
        except BaseException as reason:
            if not _is_about_the_file(reason):
                raise
            logger.warning(f'{path} is damaged or cut, and is read until there: {reason}')
            break
        if 'events' in packet and packet['stream_id'] == camera and len(packet['events']):
            found = packet['events']
            events, faults = checked(
                *(found['t'], found['x'], found['y'], found['on'], width, height),
                of_events,
            )
            yield Decoded(events, Triggers.none(), faults)
        elif 'triggers' in packet:
            found = packet['triggers']
            found = found[np.isin(found['source'], list(EDGES))]
            edge = np.array([EDGES[source] for source in found['source']], np.uint8)
            channel = np.zeros(len(found), np.uint8)
            t = found['t'].astype(np.int64)
            faults = Faults(backwards=ascend(t, of_triggers))
            yield Decoded(nothing, Triggers(t, channel, edge), faults)


def _is_about_the_file(reason: BaseException) -> bool:
    """Whether `reason` is what the library raises for a damaged file."""
    # Its panics are no Exception, and Python has no name for their class.
    return isinstance(reason, (RuntimeError, ValueError)) or 'Panic' in type(reason).__name__


def _check_header(path: Path) -> None:
    """Raise ValueError unless what describes the streams is text: else the library aborts the
    process.

    It is the third field of the flatbuffer that follows the first line.
    """
    with path.open('rb') as file:
        file.readline(LONGEST_LINE)
        size = int.from_bytes(file.read(4), 'little')
        header = file.read(min(size, LONGEST_HEADER))

    def number(kind: str, place: int) -> int:
        return struct.unpack_from(kind, header, place)[0]

    try:
        table = number('<I', 0)
        field = table + number('<H', table - number('<i', table) + 8)
        text = field + number('<I', field)
        header[text + 4 : text + 4 + number('<I', text)].decode()
    except (struct.error, UnicodeDecodeError):
        raise ValueError('its header is damaged or cut') from None
