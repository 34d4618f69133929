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
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from snn_perception.datasets.base import DatasetError
from snn_perception.datasets.recordings_plain import checked
from snn_perception.events.decoder import Decoded, Faults
from snn_perception.events.stream import Events, Triggers
from snn_perception.requirements import require

logger = logging.getLogger(__name__)

EDGES = {1: 1, 2: 0}
"""Sources of triggers that are edges of an external signal, and whether it rises."""


def read_aedat4(path: Path, size: tuple[int, int] | None = None) -> Iterator[Decoded]:
    """The events of an .aedat4 file, packet by packet; see `read_recording`.

    Times are those of the host's clock, since 1970. Of several cameras the first is read.
    """
    require('reading .aedat4 files', 'aedat')
    import aedat

    try:
        # It raises RuntimeError for whatever is wrong with a file.
        packets = aedat.Decoder(path)
        streams = packets.id_to_stream()
    except RuntimeError as reason:
        raise DatasetError(f'{path} cannot be read: {reason}') from None
    camera = next((key for key, stream in streams.items() if stream['type'] == 'events'), None)
    if camera is None:
        raise DatasetError(f'{path} holds no events')
    width, height = streams[camera]['width'], streams[camera]['height']
    nothing = Events.none(width, height)
    last = np.iinfo(np.int64).min
    yield Decoded(nothing, Triggers.none(), Faults())
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            break
        except RuntimeError as reason:
            logger.warning(f'{path} is damaged or cut, and is read until there: {reason}')
            break
        if 'events' in packet and packet['stream_id'] == camera and len(packet['events']):
            found = packet['events']
            t = np.maximum(found['t'].astype(np.int64), last)
            late = int(np.count_nonzero(found['t'].astype(np.int64) < last))
            events, faults = checked(t, found['x'], found['y'], found['on'], width, height)
            last = max(last, int(t.max()))
            yield Decoded(events, Triggers.none(), faults + Faults(backwards=late))
        elif 'triggers' in packet:
            found = packet['triggers']
            found = found[np.isin(found['source'], list(EDGES))]
            edge = np.array([EDGES[source] for source in found['source']], np.uint8)
            channel = np.zeros(len(found), np.uint8)
            yield Decoded(nothing, Triggers(found['t'].astype(np.int64), channel, edge), Faults())
