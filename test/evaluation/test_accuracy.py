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

from __future__ import annotations

import time

import numpy as np
from random_models import random_model

from snn_perception.backends.reference import ReferenceSimulator
from snn_perception.datasets import Dataset
from snn_perception.evaluation.accuracy import evaluate

FIRST_RUN = 2.0
"""Seconds."""


class SlowAtFirst(ReferenceSimulator):
    """An engine that has to compile before its first run."""

    is_compiled = False

    def advance(self, memory, images, steps):
        if not self.is_compiled:
            time.sleep(FIRST_RUN)
            self.is_compiled = True
        return super().advance(memory, images, steps)


def test_the_time_of_an_image_is_without_what_the_first_run_compiles():
    model = random_model()
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (4, *model.network.input_shape), np.uint8)
    dataset = Dataset(images, np.zeros(4, np.int64), model.labels)
    figures = evaluate(SlowAtFirst(model), ReferenceSimulator(model), dataset).summary()
    assert 0 < figures['ms_per_image'] < 1000 * FIRST_RUN / 4
    assert figures['images'] == 4
