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

"""Draws docs/debug_image.png: what the node publishes on ~/debug_image for a photograph."""

import time
from pathlib import Path

import cv2
import numpy as np

from snn_perception import create_simulator, energy, load_model
from snn_perception.images import fit_image, read_image
from snn_perception.nodes.pictures.debug_drawing import Drawing, Scene, windows_of
from snn_perception.nodes.pictures.debug_raster import Spikes
from snn_perception.record import Record
from snn_perception.views import WHOLE, seen_regions

PHOTO = Path(__file__).parents[1] / 'resource' / 'images' / 'photos' / 'frog' / 'frog.png'


def main() -> None:
    """Draw the picture next to this file."""
    model = load_model('cifar10')
    simulator = create_simulator(model, 'event')
    frame = np.zeros((480, 640, 3), np.uint8)
    frame[:, 80:560] = cv2.resize(read_image(PHOTO), (480, 480), interpolation=cv2.INTER_CUBIC)
    simulator.classify(frame)  # The first run allocates memory.
    record = Record(interval=1)
    start = time.perf_counter()
    seen = fit_image(frame, model.preprocessing)
    decision = simulator.classify(seen, record=record)
    latency = time.perf_counter() - start
    chips = energy.count_chips(model.network, model.readout.views)
    scene = Scene(
        frame=frame,
        seen=seen[None],
        windows=windows_of(seen_regions(480, 640, model.preprocessing), 480, 640),
        roi=WHOLE,
        decision=decision,
        labels=model.labels,
        label=decision.label,
        energy=energy.estimate(decision, chips)[energy.DEFAULT_CHIP].value,
        chip=energy.DEFAULT_CHIP,
        latency=latency,
        longest=model.presentation_time,
        spikes=Spikes.of(record, 0, model),
    )
    picture = cv2.cvtColor(Drawing().draw(scene), cv2.COLOR_RGB2BGR)
    path = Path(__file__).with_name('debug_image.png')
    cv2.imwrite(str(path), picture, (cv2.IMWRITE_PNG_COMPRESSION, 9))


if __name__ == '__main__':
    main()
