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

"""Scenes for pictures of answers: real decisions of `colour_model` with their spikes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import colour_model
import numpy as np

from snn_perception import create_simulator
from snn_perception.nodes.pictures.debug_drawing import Scene, windows_of
from snn_perception.nodes.pictures.debug_raster import Spikes
from snn_perception.record import Record
from snn_perception.views import WHOLE, seen_regions


def scene(colour: str = 'red', **changes: Any) -> Scene:
    """What a camera that shows `colour` and the model make of it; `changes` are other fields."""
    simulator = create_simulator(colour_model.build(), 'reference')
    model = simulator.model
    frame = colour_model.image(colour, 240, 320)
    seen = colour_model.image(colour, *model.preprocessing.shape[:2])
    record = Record()
    decision = simulator.classify(seen, record=record)
    shown = Scene(
        frame=frame,
        seen=seen[None],
        windows=windows_of(seen_regions(240, 320, model.preprocessing), 240, 320),
        roi=WHOLE,
        decision=decision,
        labels=model.labels,
        label=decision.label,
        energy=1.23e-6,
        chip='loihi',
        latency=0.0123,
        longest=0.04,
        spikes=Spikes.of(record, 0, model),
    )
    return replace(shown, **changes)


def spikes(counts: Any, piece: float, neurons: tuple[int, ...]) -> Spikes:
    """`counts` of any kind that NumPy takes, in pieces of `piece` s."""
    counts = np.asarray(counts, np.int64)
    return Spikes(counts, piece * np.arange(1, len(counts) + 1), neurons)
