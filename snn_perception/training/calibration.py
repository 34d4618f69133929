"""Choosing on validation images when a network may stop: honest scores, then a threshold."""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F

from snn_perception.evaluation.trajectories import Trajectories
from snn_perception.readout import Readout

SMALLEST_SETTLING_TIME = 1e-5
"""Settling time (s) that is as good as none."""


def calibrate(trajectories: Trajectories, accuracy_cost: float) -> Readout:
    """The readout of `trajectories` with its temperatures and its threshold fitted to them.

    Among the thresholds that lose at most `accuracy_cost` (0 to 1) of the accuracy at the end
    of the presentation, the one that decides soonest.
    """
    fitted = replace(trajectories, readout=fit_temperature(trajectories))
    points = fitted.operating_points(200)
    enough = points[-1].accuracy - accuracy_cost - 1e-9
    soonest = min(
        (point for point in points if point.accuracy >= enough),
        key=lambda point: (point.simulated_time, -point.accuracy),
    )
    return replace(fitted.readout, confidence_threshold=soonest.threshold)


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

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        temperature, settling_time = logarithms.exp()
        scaled = evidence / (temperature * (1 + settling_time / durations))
        value = F.cross_entropy(scaled.flatten(0, 1), labels.flatten())
        value.backward()
        return value

    optimizer.step(loss)
    # Of answers that are all right no temperature is low enough.
    temperature, settling_time = logarithms.detach().exp().clamp(min=1e-6).tolist()
    if settling_time < SMALLEST_SETTLING_TIME:
        settling_time = 0.0
    return replace(trajectories.readout, temperature=temperature, settling_time=settling_time)
