"""The soft-LIF network itself, in firing rates: what a spiking run is compared with."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from snn_perception.backends.base import Activity, Simulator, check_run
from snn_perception.backends.torch import PlacedStage, channels_first, choose_device, steady_rate
from snn_perception.model import Model


class RateSimulator(Simulator):
    """No spikes and no time: every step puts out the same. Its state is the batch size."""

    name: ClassVar[str] = 'rate'

    def __init__(self, model: Model, device: str = 'auto') -> None:
        super().__init__(model, choose_device(device))
        self.stages = [
            PlacedStage(stage, weights, 1.0, self.device, torch.float32)
            for stage, weights in zip(model.network.stages, model.weights, strict=True)
        ]

    @property
    def macs_per_image(self) -> int:
        """Every layer is multiply-accumulates."""
        return self.model.network.macs

    def reset(self, batch: int = 1) -> list[int]:
        """See `Simulator.reset`."""
        return [batch]

    @torch.inference_mode()
    def run(self, state: list[int], images: NDArray[np.float32], steps: int) -> Activity:
        """See `Simulator.run`."""
        batch = state[0]
        check_run(self.model, batch, images, steps)
        network = self.model.network
        values = channels_first(images, self.device, torch.float32)[None]
        for placed in self.stages:
            values = placed.weighted_sum(values) + placed.bias
            if not placed.stage.is_readout:
                values = steady_rate(values, network.neuron, network.gamma)
        outputs = values.flatten(2).expand(steps, -1, -1).cpu().numpy()
        nothing = np.zeros((3, batch, len(network.stages)), np.int64)
        return Activity(outputs, *nothing)
