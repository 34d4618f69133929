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

"""The board of an NVIDIA GPU, by the driver's management library (NVML).

GPUs from Volta on count their energy in mJ since the driver was loaded; older ones only report
their present power in mW (NVML API reference, nvmlDeviceGetTotalEnergyConsumption and
nvmlDeviceGetPowerUsage). The counter moves only every 20 to 100 ms: during a decision mostly not
at all, and sometimes by the energy of a long time before it. Hence `SteppedCounter`.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from snn_perception.power.base import Unreadable
from snn_perception.power.sampled import SampledCounter, Sensor
from snn_perception.requirements import require

INTERVAL = 0.02
"""Seconds between queries."""

WINDOW = 0.2
"""Shortest time (s) over which power is averaged: ten queries, two steps or more."""

PATIENCE = 1.0
"""Seconds without a step after which the counter is taken to be stuck."""


class SteppedCounter:
    """Power from an energy counter that moves in steps: its mean from one step to a later one."""

    def __init__(self) -> None:
        self._mark: tuple[float, float] | None = None
        self._last: tuple[float, float] | None = None

    def power(self, time: float, joules: float) -> float | None:
        """Power in W if the counter, at `joules` at `time` (s), ends a window with this step.

        Raises Unreadable if the counter went backwards, or has stood still for over PATIENCE.
        """
        if self._last is None:
            self._last = time, joules
        since, before = self._last
        if joules < before:
            raise Unreadable('the energy counter of the GPU went backwards')
        if joules == before:
            if time - since > PATIENCE:
                raise Unreadable('the energy counter of the GPU does not move')
            return None
        self._last = time, joules
        if self._mark is None:
            self._mark = time, joules
        start, mark = self._mark
        if time - start < WINDOW:
            return None
        self._mark = time, joules
        return (joules - mark) / (time - start)


def find_nvml() -> SampledCounter:
    """The board of CUDA's first GPU; raises Unreadable if it does not report what it draws."""
    try:
        require('the power of the GPU', 'pynvml')
        import pynvml
    except ImportError as reason:
        raise Unreadable(str(reason)) from None
    _call(pynvml, pynvml.nvmlInit)

    def release() -> None:
        # The driver may be gone, and the library with it.
        with suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()

    try:
        gpu = _call(pynvml, pynvml.nvmlDeviceGetHandleByPciBusId, cuda_bus_id())
        return SampledCounter('nvml', _sensor(pynvml, gpu), INTERVAL, release)
    except Unreadable:
        release()
        raise


def cuda_bus_id() -> str:
    """PCI address of CUDA's first GPU, which NVML may number differently.

    Raises Unreadable if there is none.
    """
    address = ctypes.create_string_buffer(32)
    device = ctypes.c_int()
    try:
        cuda = ctypes.CDLL('libcuda.so.1')
    except OSError as reason:
        raise Unreadable(f'there is no driver for CUDA: {reason}') from None
    if (
        cuda.cuInit(0)
        or cuda.cuDeviceGet(ctypes.byref(device), 0)
        or cuda.cuDeviceGetPCIBusId(address, len(address), device)
    ):
        raise Unreadable('CUDA finds no GPU')
    return address.value.decode()


def _sensor(pynvml: Any, gpu: Any) -> Sensor:
    """A sensor for the power of `gpu`, from its energy counter, or direct if it has none."""
    counter = SteppedCounter()

    def by_energy() -> float | None:
        millijoules = _call(pynvml, pynvml.nvmlDeviceGetTotalEnergyConsumption, gpu)
        return counter.power(time.monotonic(), 1e-3 * millijoules)

    def by_power() -> float:
        watts = 1e-3 * _call(pynvml, pynvml.nvmlDeviceGetPowerUsage, gpu)
        if watts <= 0:
            raise Unreadable(f'the GPU reports a power of {watts:g} W, which must be positive')
        return watts

    try:
        by_energy()
    except Unreadable:
        return by_power
    return by_energy


def _call(pynvml: Any, function: Callable[..., Any], *arguments: Any) -> Any:
    """What `function` of NVML returns; raises Unreadable with its error."""
    try:
        return function(*arguments)
    except pynvml.NVMLError as reason:
        raise Unreadable(f'NVML: {reason}') from None
