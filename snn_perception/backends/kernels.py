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
    first: int,
    last: int,
) -> None:
    """Synapse and LIF neurons through all steps; the equations of `neurons.LIF.step`.

    sums: (steps or 1, pixels, channels) weighted sums of the inputs of each step; one row is
    a constant input. filters: (order, pixels, channels) of the synapse, potentials and
    refractories: (pixels, channels); all three are advanced in place. spikes: (steps, pixels,
    channels), set to 1 or 0. bias: (channels,). times: decay of the synapse in one step, then
    tau_rc, tau_ref and dt in s. All are of the same float type. Only the pixels from `first`
    to before `last` are touched.
    """
    decay, tau_rc, tau_ref, dt = times
    one = dt / dt
    zero = one - one
    gain = one - decay
    whole_step = math.expm1(-dt / tau_rc)
    channels = bias.size
    current, potential, refractory = np.empty_like(bias), np.empty_like(bias), np.empty_like(bias)
    for pixel in range(first, last):
        for i in range(channels):
            potential[i], refractory[i] = potentials[pixel, i], refractories[pixel, i]
        for step in range(spikes.shape[0]):
            row = min(step, sums.shape[0] - 1)
            if filters.shape[0] == 0:
                for i in range(channels):
                    current[i] = sums[row, pixel, i] + bias[i]
            elif filters.shape[0] == 1:
                for i in range(channels):
                    value = filters[0, pixel, i] * decay + gain * sums[row, pixel, i]
                    filters[0, pixel, i] = value
                    current[i] = value + bias[i]
            else:
                for i in range(channels):
                    value = filters[0, pixel, i] * decay + gain * sums[row, pixel, i]
                    filters[0, pixel, i] = value
                    value = filters[1, pixel, i] * decay + gain * value
                    filters[1, pixel, i] = value
                    current[i] = value + bias[i]
            # What every neuron does, without branches, so that it compiles to vectors.
            events = 0
            for i in range(channels):
                left = refractory[i] - dt
                refractory[i] = left
                growth = whole_step if left <= -dt else zero
                value = max(potential[i] - (current[i] - potential[i]) * growth, zero)
                potential[i] = value
                spikes[step, pixel, i] = zero
                events += (value > one) | ((left < zero) & (left > -dt))
            if events == 0:
                continue
            # The few that leave their refractory period within the step, or spike.
            for i in range(channels):
                active = -refractory[i]
                if zero < active < dt:
                    growth = math.expm1(-active / tau_rc)
                    potential[i] = max(potential[i] - (current[i] - potential[i]) * growth, zero)
                if potential[i] > one:
                    overshoot = -tau_rc * math.log1p((one - potential[i]) / (current[i] - one))
                    refractory[i] = tau_ref - overshoot
                    potential[i] = zero
                    spikes[step, pixel, i] = one
        for i in range(channels):
            potentials[pixel, i], refractories[pixel, i] = potential[i], refractory[i]
