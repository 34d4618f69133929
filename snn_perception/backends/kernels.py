"""Compiled loops over neurons and time (numba), without the GIL.

Arrays are (steps, pixels, channels) and (pixels, channels). A pixel's neurons go through all
steps before the next pixel's, so that their state stays in the first-level cache.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np


@numba.njit(nogil=True, cache=True, error_model='numpy')
def integrate(
    sums: Any,
    filters: Any,
    spikes: Any,
    potentials: Any,
    refractories: Any,
    bias: Any,
    times: Any,
) -> None:
    """Synapse and LIF neurons through all steps; the equations of `neurons.LIF.step`.

    sums: (steps or 1, pixels, channels) weighted sums of the inputs of each step; one row is
    a constant input. filters: (order, pixels, channels) of the synapse, potentials and
    refractories: (pixels, channels); all three are advanced in place. spikes: (steps, pixels,
    channels), set to 1 or 0. bias: (channels,). times: decay of the synapse in one step, then
    tau_rc, tau_ref and dt in s. All are of the same float type.
    """
    decay, tau_rc, tau_ref, dt = times
    one = dt / dt
    zero = one - one
    whole_step = math.expm1(-dt / tau_rc)
    last_row = sums.shape[0] - 1
    channels = bias.size
    current = np.empty_like(bias)
    for pixel in range(potentials.shape[0]):
        potential, refractory = potentials[pixel], refractories[pixel]
        for step in range(spikes.shape[0]):
            arrived = sums[min(step, last_row), pixel]
            spiked = spikes[step, pixel]
            for channel in range(channels):
                current[channel] = arrived[channel]
            for order in range(filters.shape[0]):
                filtered = filters[order, pixel]
                for channel in range(channels):
                    value = filtered[channel] * decay + (one - decay) * current[channel]
                    filtered[channel] = value
                    current[channel] = value
            # What every neuron does, without branches, so that it compiles to vectors.
            for channel in range(channels):
                current[channel] += bias[channel]
                refractory[channel] -= dt
                growth = whole_step if refractory[channel] <= -dt else zero
                value = potential[channel] - (current[channel] - potential[channel]) * growth
                potential[channel] = max(value, zero)
                spiked[channel] = zero
            # The few that leave their refractory period within the step, or spike.
            for channel in range(channels):
                active = -refractory[channel]
                if zero < active < dt:
                    growth = math.expm1(-active / tau_rc)
                    value = potential[channel] - (current[channel] - potential[channel]) * growth
                    potential[channel] = max(value, zero)
                value = potential[channel]
                if value > one:
                    overshoot = -tau_rc * math.log1p((one - value) / (current[channel] - one))
                    refractory[channel] = tau_ref - overshoot
                    potential[channel] = zero
                    spiked[channel] = one
