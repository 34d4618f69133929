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

"""Decoders by the names that encodings have in messages and files."""

from __future__ import annotations

from snn_perception.events.decoder import Decoded, Decoder, Faults
from snn_perception.events.evt2 import Evt2Decoder
from snn_perception.events.evt3 import Evt3Decoder
from snn_perception.events.evt21 import Evt21Decoder, Evt21LegacyDecoder
from snn_perception.events.libcaer_cmp import LibcaerCmpDecoder
from snn_perception.events.wide_words import LibcaerDecoder, MonoDecoder, TriggerDecoder
from snn_perception.sentences import shown

__all__ = ['DECODERS', 'Decoded', 'Decoder', 'Faults', 'decoder_for']

DECODERS: dict[str, type[Decoder]] = {
    'evt3': Evt3Decoder,
    'evt2': Evt2Decoder,
    'evt21': Evt21Decoder,
    'evt21_legacy': Evt21LegacyDecoder,
    'libcaer_cmp': LibcaerCmpDecoder,
    'libcaer': LibcaerDecoder,
    'mono': MonoDecoder,
    'trigger': TriggerDecoder,
}


def decoder_for(encoding: str, width: int, height: int) -> Decoder:
    """A decoder for a stream of `encoding` from a sensor of `width` x `height` pixels.

    Raises ValueError, a sentence, for an unknown encoding and a size that no sensor has.
    """
    if encoding not in DECODERS:
        raise ValueError(
            f'events are encoded as {", ".join(DECODERS)}, and {shown(encoding)} is none of these'
        )
    return DECODERS[encoding](width, height)
