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

"""Events as words of EVT 3.0, which decoders read back."""

from __future__ import annotations

from itertools import pairwise

import event_encoders
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snn_perception.events.decoding import decoder_for
from snn_perception.events.encoding import encode_evt3
from snn_perception.events.stream import Events, concatenate


@given(
    events=event_encoders.streams(largest_gap=3_000, first=2**23),
    cuts=st.sets(st.integers(1, 59), max_size=4),
)
@settings(deadline=None)
def test_decoder_gives_back_events_in_packets_of_any_length(events, cuts):
    decoder = decoder_for('evt3', events.width, events.height)
    edges = [0, *sorted(cut for cut in cuts if cut < len(events)), len(events)]
    found = [
        decoder.decode(encode_evt3(events[first:last]).tobytes())
        for first, last in pairwise(edges)
    ]
    found.append(decoder.finish())
    assert not any(one.faults for one in found)
    back = concatenate([one.events for one in found])
    for name in ('t', 'x', 'y', 'polarity'):
        assert np.array_equal(getattr(back, name), getattr(events, name))


def test_every_packet_can_be_read_without_those_before_it():
    events = Events.of([9_000, 9_100], [3, 3], [2, 2], [1, 1], 8, 8)
    found = decoder_for('evt3', 8, 8).decode(encode_evt3(events[1:]).tobytes())
    assert len(found.events) == 1
    assert not found.faults


def test_no_events_have_no_words():
    assert len(encode_evt3(Events.none(8, 8))) == 0


def test_sensor_that_the_encoding_has_no_room_for_is_refused():
    with pytest.raises(ValueError, match='2048 x 2048 pixels, and the sensor has 4000 x 30'):
        encode_evt3(Events.none(4000, 30))
