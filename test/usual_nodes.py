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

"""Nodes of NIR with the values that most tests do not care for."""

from __future__ import annotations

import nir
import numpy as np


def lif(*shape, tau=0.02, r=1.0, v_leak=0.0, v_threshold=1.0, v_reset=0.0):
    values = (tau, r, v_leak, v_threshold, v_reset)
    return nir.LIF(*(np.broadcast_to(value, shape).copy() for value in values))


def cuba(*shape, tau_syn=0.005, tau_mem=0.02, r=1.0, w_in=1.0):
    values = (tau_syn, tau_mem, r, 0.0, 1.0, 0.0, w_in)
    return nir.CubaLIF(*(np.broadcast_to(value, shape).copy() for value in values))


def li(*shape, tau=0.005, r=1.0, v_leak=0.0):
    return nir.LI(*(np.broadcast_to(value, shape).copy() for value in (tau, r, v_leak)))


def pool(kind, size):
    sizes = np.array([size, size])
    return kind(kernel_size=sizes, stride=sizes, padding=np.array([0, 0]))
