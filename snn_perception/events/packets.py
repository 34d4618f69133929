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

"""Packets of events, as ROS messages carry them, one after the other."""

from __future__ import annotations

from typing import Any, Protocol

from snn_perception.events.decoding import Decoded, Decoder, decoder_for


class Packet(Protocol):
    """event_camera_msgs/EventPacket, or the older event_array_msgs/EventArray."""

    width: int
    height: int
    seq: int
    time_base: int
    encoding: str
    is_bigendian: bool
    events: Any


def missing_between(last: int | None, number: int) -> int:
    """How many packets are missing between those with the numbers `last` and `number`.

    Less than none where numbers go back, as those of a driver do that was started anew. Packets
    that are all number 0 have no numbers, and None is of no packet.
    """
    if last is None or last == number == 0:
        return 0
    return number - last - 1


class PacketDecoder:
    """Decodes the packets of one topic, whose sensor has the size that the first one says.

    `lost` counts the packets that are missing by their sequence numbers.
    """

    def __init__(self) -> None:
        self.lost = 0
        self.decoder: Decoder | None = None
        self._encoding = ''
        self._last: int | None = None

    def decode(self, packet: Packet) -> Decoded:
        """The events of `packet`.

        Raises ValueError, a sentence, for one that cannot be used: of unknown encoding, or of
        another encoding or sensor than those before it.
        """
        missing = missing_between(self._last, packet.seq)
        self._last = packet.seq
        self.lost += max(missing, 0)
        if missing and self.decoder:
            self.decoder.lose_track()
        try:
            decoder = self._decoder_of(packet)
        except ValueError:
            if self.decoder:
                self.decoder.lose_track()
            raise
        return decoder.decode(packet.events, packet.time_base, packet.is_bigendian)

    def finish(self) -> Decoded | None:
        """What waited for a further packet; None if there was none at all."""
        return self.decoder.finish() if self.decoder else None

    def _decoder_of(self, packet: Packet) -> Decoder:
        if self.decoder is None:
            self.decoder = decoder_for(packet.encoding, packet.width, packet.height)
            self._encoding = packet.encoding
        decoder = self.decoder
        if packet.encoding != self._encoding:
            # Says so if there is no such encoding at all.
            decoder_for(packet.encoding, decoder.width, decoder.height)
            raise ValueError(
                f'a packet is encoded as {packet.encoding}, and those before it as '
                f'{self._encoding}; one topic has one encoding'
            )
        if (packet.width, packet.height) != (decoder.width, decoder.height):
            raise ValueError(
                f'a packet is of a sensor of {packet.width} x {packet.height} pixels, and those '
                f'before it of one of {decoder.width} x {decoder.height}; one topic has one sensor'
            )
        return decoder
