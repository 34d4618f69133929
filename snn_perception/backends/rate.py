"""The soft-LIF network itself, in firing rates: what a spiking run is compared with."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from snn_perception.backends.base import Activity, Simulator
from snn_perception.backends.torch import PlacedStage, choose_device
from snn_perception.model import Model
from snn_perception.neurons import SoftLIF


class SoftLIFTerms(NamedTuple):
    """The soft-LIF rate (Hz) and its parts, for currents of any shape.

    `x` is (J - 1) / gamma, `log_softened` is ln j of the softened j, `log_inverse` is
    ln(1 + 1/j); see `neurons.SoftLIF`.
    """

    x: Tensor
    log_softened: Tensor
    log_inverse: Tensor
    rate: Tensor


def soft_lif_terms(current: Tensor, neuron: SoftLIF) -> SoftLIFTerms:
    """Evaluate the rate curve of `neuron`, in at least float32."""
    x = (current.float() if current.dtype.itemsize < 4 else current).sub(1).div_(neuron.gamma)
    # ln softplus(x) is x to within rounding where softplus itself would underflow.
    log_softened = F.softplus(x.clamp(min=-15), threshold=40).log_().add_((x + 15).clamp_(max=0))
    log_softened.add_(math.log(neuron.gamma))
    log_inverse = F.softplus(-log_softened, threshold=40)
    rate = log_inverse.mul(neuron.tau_rc).add_(neuron.tau_ref).reciprocal_()
    return SoftLIFTerms(x, log_softened, log_inverse, rate)


class RateSimulator(Simulator):
    """No spikes, no time and nothing to remember: every step puts out the same."""

    name: ClassVar[str] = 'rate'

    def __init__(self, model: Model, device: str = 'auto') -> None:
        super().__init__(model, choose_device(device))
        neuron = model.network.neuron
        self.neuron = SoftLIF(neuron.tau_rc, neuron.tau_ref, model.network.gamma)
        self.stages = [
            PlacedStage(stage, weights, 1.0, self.device, torch.float32)
            for stage, weights in zip(model.network.stages, model.weights, strict=True)
        ]

    @property
    def macs_per_image(self) -> int:
        """Every layer is multiply-accumulates."""
        return self.model.network.macs

    def rest(self, batch: int) -> None:
        """See `Simulator.rest`."""

    @torch.inference_mode()
    def advance(self, memory: None, images: NDArray[np.float32], steps: int) -> Activity:
        """See `Simulator.advance`."""
        *_, last = self._values(images)
        outputs = last.flatten(2).expand(steps, -1, -1).cpu().numpy()
        layers = len(self.model.network.stages)
        return Activity(outputs, *np.zeros((3, len(images), layers), np.int64))

    @torch.inference_mode()
    def firing_rates(self, images: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Rates (batch, *output_shape) in Hz of the neurons of each layer on prepared images."""
        *hidden, _ = self._values(images)
        return [rates[0].cpu().numpy() for rates in hidden]

    def _values(self, images: NDArray[np.float32]) -> Iterator[Tensor]:
        """What each weighted layer puts out, (1, batch, *output_shape)."""
        images = np.ascontiguousarray(images)
        values = torch.from_numpy(images).to(self.device, torch.float32)[None]
        for index, placed in enumerate(self.stages):
            values = placed.weighted_sum(values) + placed.bias
            if not placed.stage.is_readout:
                values = soft_lif_terms(values, self.neuron).rate
            self.layer_done(index)
            yield values
