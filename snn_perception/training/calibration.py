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

"""When a network may stop, chosen on validation images: honest scores, then a threshold."""

from __future__ import annotations

import itertools
from dataclasses import replace

import torch
import torch.nn.functional as F

from snn_perception.evaluation.trajectories import Trajectories
from snn_perception.readout import Readout

SMALLEST_SETTLING_TIME = 1e-5
"""Settling time (s) that is as good as none."""
LONGEST_SETTLING_TIME = 100.0
"""In multiples of the longest duration of evidence. Beyond it only the product of settling time
and temperature counts, so that one would grow and the other shrink without end."""


def calibrate(trajectories: Trajectories, accuracy_cost: float) -> Readout:
    """The readout of `trajectories` with its temperature and its threshold fitted to them.

    The threshold is the lowest such that neither it nor any higher one loses more than
    `accuracy_cost` (0 to 1) of the accuracy at the end of the presentation. A still lower one may
    lose no more by luck, but would on other images. Where the only check is at the end, there is
    no threshold, which is then 1.
    """
    fitted = replace(trajectories, readout=fit_temperature(trajectories))
    if len(trajectories.durations) == 1:
        return replace(fitted.readout, confidence_threshold=1.0)
    points = fitted.operating_points(200)
    enough = points[-1].accuracy - accuracy_cost - 1e-9
    late = itertools.takewhile(lambda point: point.accuracy >= enough, reversed(points))
    *_, lowest = late
    return replace(fitted.readout, confidence_threshold=lowest.threshold)


def fit_temperature(trajectories: Trajectories) -> Readout:
    """The readout whose scores, at all checks together, have the least cross-entropy.

    Guo et al., "On Calibration of Modern Neural Networks", 2017, with a second parameter for
    the evidence that grows; see `Readout.scores`.
    """
    evidence = torch.from_numpy(trajectories.evidence)
    durations = torch.from_numpy(trajectories.durations)[:, None]
    labels = torch.from_numpy(trajectories.labels)[:, None].expand(evidence.shape[:2])
    deviation = evidence.std().clamp(min=1e-12)
    logarithms = torch.stack((deviation.log(), durations.min().log())).requires_grad_()
    optimizer = torch.optim.LBFGS([logarithms], max_iter=100, line_search_fn='strong_wolfe')

    def parameters() -> torch.Tensor:
        temperature, settling_time = logarithms.exp()
        longest = LONGEST_SETTLING_TIME * durations.max()
        return torch.stack((temperature, settling_time.clamp(max=longest)))

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        temperature, settling_time = parameters()
        scaled = evidence / (temperature * (1 + settling_time / durations))
        value = F.cross_entropy(scaled.flatten(0, 1), labels.flatten())
        value.backward()
        return value

    optimizer.step(loss)
    # If all answers are right, no temperature is low enough.
    temperature, settling_time = parameters().detach().clamp(min=1e-6).tolist()
    if settling_time < SMALLEST_SETTLING_TIME:
        settling_time = 0.0
    return replace(trajectories.readout, temperature=temperature, settling_time=settling_time)
