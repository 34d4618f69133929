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

"""What is timed, in whichever library."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from snn_perception.model import Model
from snn_perception.neurons import LIF, as_lif

Run = Callable[[NDArray[np.float32], int], NDArray]
"""From a prepared image (height, width, channels) and a number of steps to the mean output."""


def lif_of(model: Model) -> LIF:
    """The neuron of `model`; raises ValueError with a sentence if it is not a LIF."""
    return as_lif(model.network.neuron, 'the comparison with other libraries')
