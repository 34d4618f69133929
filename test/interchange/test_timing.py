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

"""Time constants and spikes of libraries that take steps, and of NIR in continuous time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snn_perception.interchange.timing import Timing

STEPS = st.floats(1e-6, 0.1)


@given(step=STEPS, factor=st.floats(0.101, 9.9))
def test_a_step_of_euler_decays_as_our_exponential(step, factor):
    time_constant = factor * step
    tau = Timing(step).for_nir(time_constant)
    assert 1 - step / tau == pytest.approx(np.exp(-step / time_constant), abs=1e-12)


@given(step=st.one_of(st.just(0.0), STEPS), factor=st.floats(0.101, 10))
def test_time_constants_go_there_and_back(step, factor):
    timing, time_constant = Timing(step), factor * (step or 0.1)
    tau = timing.for_nir(time_constant)
    assert timing.from_nir(tau) == pytest.approx(time_constant, rel=1e-6)


def test_in_continuous_time_a_spike_has_the_area_1_and_nothing_changes():
    timing = Timing(0.0)
    assert timing.spike_area == 1
    assert timing.for_nir(0.02) == timing.from_nir(0.02) == 0.02


@pytest.mark.parametrize('step', [-0.001, 0.2, np.nan])
def test_a_step_that_is_no_short_time_is_refused(step):
    with pytest.raises(ValueError, match='step must be a time between 0'):
        Timing(step)


@pytest.mark.parametrize('tau', [0.0, -0.02, 0.001, 1.5, np.nan])
def test_a_time_constant_that_fits_no_step_is_refused(tau):
    with pytest.raises(ValueError, match='must be in s'):
        Timing(0.001).from_nir(tau)


@pytest.mark.parametrize('time_constant', [0.00009, 1.5, np.nan])
def test_a_time_constant_that_no_file_can_hold_is_not_exported(time_constant):
    with pytest.raises(ValueError, match='at least a tenth of the time step'):
        Timing(0.001).for_nir(time_constant)
