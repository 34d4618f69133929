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

"""Bags of ROS 2 with the events of a camera, by the library rosbags."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from snn_perception.datasets.base import DatasetError
from snn_perception.datasets.recordings_cut_bags import whole_part
from snn_perception.events.decoding import Decoded
from snn_perception.events.packets import PacketDecoder
from snn_perception.requirements import require

logger = logging.getLogger(__name__)

BAG_FILE = 'metadata.yaml'
"""What makes a folder a bag."""

STORAGE = ('.db3', '.mcap')

MESSAGES = ('event_camera_msgs/msg/EventPacket', 'event_array_msgs/msg/EventArray')
"""Of which one was renamed to the other: they have the same fields."""

FIELDS = """
std_msgs/Header header
uint32 height
uint32 width
uint64 seq
uint64 time_base
string encoding
bool is_bigendian
uint8[] events
"""


def read_bag(path: Path, size: tuple[int, int] | None = None) -> Iterator[Decoded]:
    """The events of a bag, a folder or one of its files, packet by packet; see `read_recording`.

    Of the topics of events there must be but one. Packets that cannot be used are passed over.
    """
    require('reading bags of ROS 2', 'rosbags>=0.11')
    decoder, refused = PacketDecoder(), Counter[str]()
    try:
        yield from _decoded(path, decoder, refused)
    except (DatasetError, OSError):
        raise
    except Exception as reason:
        # The libraries below it raise errors of many kinds for damaged files.
        if decoder.decoder is None:
            yield from _before_the_cut(path, decoder, refused, reason)
        logger.warning(f'{path} is damaged or cut, and is read until there: {reason}')
    for sentence, count in refused.items():
        logger.warning(f'{path}: passed over {count} packets: {sentence}')
    if decoder.lost:
        logger.warning(f'{path}: {decoder.lost} packets are missing')
    rest = decoder.finish()
    if rest is None:
        raise DatasetError(f'{path} holds no packet of events that can be used')
    yield rest


def _decoded(path: Path, decoder: PacketDecoder, refused: Counter[str]) -> Iterator[Decoded]:
    from rosbags.rosbag2 import Reader

    with Reader(path) as bag:
        topics = [each for each in bag.connections if each.msgtype in MESSAGES]
        _check_topics(path, topics)
        for packet in _packets(bag, topics, refused):
            try:
                yield decoder.decode(packet)
            except ValueError as reason:
                refused[str(reason)] += 1


def _before_the_cut(
    path: Path, decoder: PacketDecoder, refused: Counter[str], why: Exception
) -> Iterator[Decoded]:
    """What is in a bag that the library refuses to open; if nothing is, DatasetError says `why`.

    The files of a folder are read one after the other.
    """
    files: Iterable[Path] = [path] if path.is_file() else path.iterdir()
    with TemporaryDirectory() as folder:
        # The number in a name has as many digits as it needs.
        for file in sorted(files, key=lambda each: (len(each.name), each.name)):
            if file.suffix not in STORAGE:
                continue
            try:
                yield from _decoded(whole_part(file, Path(folder)), decoder, refused)
            except Exception as reason:
                logger.debug(f'{file} has nothing that can be read: {reason}')
    if decoder.decoder is None:
        raise DatasetError(f'{path} cannot be read: {why}')


def _packets(bag: Any, topics: list[Any], refused: Counter[str]) -> Iterator[Any]:
    """The messages of `topics`; what is none is counted in `refused`."""
    from rosbags.serde import SerdeError
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    types: Any = get_typestore(Stores.ROS2_HUMBLE)
    for name in MESSAGES:
        types.register(get_types_from_msg(FIELDS, name))
    for topic, _, data in bag.messages(topics):
        try:
            yield types.deserialize_cdr(data, topic.msgtype)
        except SerdeError as reason:
            refused[f'not a message of its type: {reason}'] += 1


def _check_topics(path: Path, topics: list[Any]) -> None:
    names = sorted({topic.topic for topic in topics})
    if not names:
        raise DatasetError(f'{path} has no topic of {" or ".join(MESSAGES)}')
    if len(names) > 1:
        raise DatasetError(f'{path} has the events of several cameras: {", ".join(names)}')
