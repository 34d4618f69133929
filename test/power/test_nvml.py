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

"""The power of NVIDIA GPUs: the library as it is here, and the arithmetic of its counter."""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path

import pytest

from snn_perception.power import Unreadable, find_meter, mean_power
from snn_perception.power.nvml import PATIENCE, WINDOW, SteppedCounter, cuda_bus_id, find_nvml


def has_driver() -> bool:
    pynvml = pytest.importorskip('pynvml')
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return False
    pynvml.nvmlShutdown()
    return True


def test_machine_without_the_driver_is_unavailable_in_a_sentence_of_the_library() -> None:
    if has_driver():
        pytest.skip('there is a driver')
    with pytest.raises(Unreadable, match=r'NVML: .*Not Found'):
        find_nvml()
    with pytest.raises(Unreadable, match='CUDA'):
        cuda_bus_id()


def test_missing_library_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, 'pynvml', None)
    with pytest.raises(Unreadable, match='pip install nvidia-ml-py'):
        find_nvml()
    assert 'pip install nvidia-ml-py' in find_meter('cuda', tmp_path).description


def test_real_gpu_draws_between_nothing_and_two_kilowatts(tmp_path: Path) -> None:
    if not has_driver():
        pytest.skip('there is no driver')
    try:
        find_nvml().close()
    except Unreadable as reason:
        pytest.skip(str(reason))
    meter = find_meter('cuda', tmp_path)
    end = time.monotonic() + 10
    power = mean_power(meter.read(), meter.read())
    while math.isnan(power.watts):
        assert time.monotonic() < end, meter.description
        start = meter.read()
        time.sleep(0.05)
        power = mean_power(start, meter.read())
    meter.close()
    assert power.source == 'nvml'
    assert 0 < power.watts < 2000


@pytest.mark.parametrize('step', [0.02, 0.1])
@pytest.mark.parametrize('watts', [30.0, 700.0])
def test_power_from_a_counter_that_moves_in_steps_is_that_of_the_gpu(
    step: float, watts: float
) -> None:
    """Asked every 20 ms, a bit late each time; never zero, never the steps' own jumps."""
    counter, powers = SteppedCounter(), []
    for question in range(500):
        now = 0.021 * question
        joules = watts * step * math.floor(now / step)
        power = counter.power(now, joules)
        if power is not None:
            powers.append(power)
    assert len(powers) > 20
    assert all(0.75 * watts < power < 1.25 * watts for power in powers)
    assert sum(powers) / len(powers) == pytest.approx(watts, rel=0.02)


def test_no_power_is_told_before_a_window_is_over() -> None:
    counter = SteppedCounter()
    assert counter.power(0.0, 10.0) is None
    assert counter.power(0.1, 15.0) is None
    assert counter.power(0.1 + WINDOW / 2, 20.0) is None
    assert counter.power(0.1 + WINDOW, 25.0) == pytest.approx(10.0 / WINDOW)


def test_power_is_that_of_the_last_window_and_not_of_all_before() -> None:
    counter, joules, powers = SteppedCounter(), 0.0, []
    for question in range(200):
        joules += 0.02 * (50.0 if question < 100 else 300.0)
        powers.append(counter.power(0.02 * question, joules))
    told = [power for power in powers if power is not None]
    assert told[0] == pytest.approx(50.0)
    assert told[-1] == pytest.approx(300.0)


def test_counter_that_stands_still_or_goes_back_is_refused() -> None:
    counter = SteppedCounter()
    counter.power(0.0, 10.0)
    assert counter.power(PATIENCE, 10.0) is None
    with pytest.raises(Unreadable, match='does not move'):
        counter.power(1.01 * PATIENCE, 10.0)
    with pytest.raises(Unreadable, match='went backwards'):
        counter.power(1.02 * PATIENCE, 9.0)
