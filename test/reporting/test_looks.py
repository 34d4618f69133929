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

"""What the data of a model looks like in pictures."""

from __future__ import annotations

import numpy as np
from random_models import event_model
from tiny_events import CLASSES

from snn_perception.datasets.event_set import packed
from snn_perception.events.stream import Events
from snn_perception.layers import Dense
from snn_perception.reporting.looks import GREY, light_and_dark, look_of


def test_where_more_got_brighter_it_is_light_and_where_more_got_darker_dark():
    counts = np.zeros((3, 1, 5, 2), np.uint8)
    counts[0, 0, 1, 1] = 1
    counts[1, 0, 2, 0] = 200
    counts[2, 0, 3, 1] = 200
    counts[:, 0, 4] = 1
    ((nothing, brighter, darker, light, both),) = light_and_dark(counts)[..., 0]
    assert nothing == both == GREY
    assert GREY < brighter < light == 255
    assert darker == 0


def test_a_recording_is_shown_as_the_model_hears_it():
    model = event_model(layers=(Dense(4),), input_shape=(3, 4, 2))
    late = 10**6
    events = Events.of([0, 1, late], [0, 3, 1], [0, 2, 1], [1, 0, 1], 4, 3)
    recordings = packed([Events.none(4, 3), events], np.array([0, 1]), ['a', 'b'], CLASSES)
    silent, shown = (look_of(recordings, model)(index) for index in (0, 1))
    assert silent.shape == shown.shape == (3, 4, 1)
    assert (silent == GREY).all()
    assert shown[0, 0] > GREY > shown[2, 3]
    assert shown[1, 1] == GREY
