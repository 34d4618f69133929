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

"""Weighted layers on their way from NIR nodes to a network; arrays are float64."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from snn_perception.interchange.nir_arrays import Floats
from snn_perception.layers import Convolution, Dense, Shape, WeightedLayer
from snn_perception.network import MAXIMUM_WEIGHTS
from snn_perception.synapses import Synapse


@dataclass
class Weighted:
    """A weighted layer whose neurons may still follow.

    `source`, the shape of its input, and the arrays are channels-last. `time_constants` (s)
    belong to the exponential synapses before it.
    """

    source: Shape
    layer: WeightedLayer
    kernel: Floats
    bias: Floats
    time_constants: list[float]

    @property
    def synapse(self) -> Synapse:
        """The synapses before it as one of ours; raises ValueError if none matches."""
        if not self.time_constants:
            return Synapse()
        first = self.time_constants[0]
        alike = all(math.isclose(first, tau, rel_tol=1e-3) for tau in self.time_constants)
        if len(self.time_constants) > 2 or not alike:
            raise ValueError(
                f'at most two synapses in series are possible, with the same time constant, '
                f'not {self.time_constants}'
            )
        return Synapse('exponential' if len(self.time_constants) == 1 else 'alpha', first)

    def scale(self, gain: Floats) -> None:
        """Multiply its output by `gain` (channels,)."""
        self.kernel = self.kernel * gain
        self.bias = self.bias * gain

    def as_dense(self) -> Weighted:
        """It as a dense layer; a convolution must have one output value per channel."""
        if not isinstance(self.layer, Convolution):
            return self
        rows, columns, channels = self.layer.output_shape(self.source)
        if (rows, columns) != (1, 1):
            raise ValueError(
                f'its output must have one value per channel, not be a map of shape '
                f'{(channels, rows, columns)}'
            )
        height, width, inputs = self.source
        margin = self.layer.margins[0][0]
        kernel = np.zeros((height, width, inputs, channels))
        seen = self.kernel[margin : margin + height, margin : margin + width]
        kernel[: len(seen), : seen.shape[1]] = seen
        return replace(self, layer=Dense(channels), kernel=kernel.reshape(-1, channels))


def spike_counts(
    shape: Shape, gain: Floats, time_constants: list[float], presentation_time: float
) -> Weighted:
    """A readout whose outputs are the rates of neurons times `presentation_time` (s).

    `shape`, channels first, is that of the neurons; `gain` fits it. Raises ValueError for more
    neurons than there can be classes.
    """
    count = math.prod(shape)
    if count**2 > MAXIMUM_WEIGHTS:
        raise ValueError(f'{count} neurons at the end are too many to be classes')
    matrix = presentation_time * np.eye(count).reshape(count, *shape) * gain
    channels, height, width = shape
    kernel, bias = channels_last(matrix), np.zeros(count)
    return Weighted((height, width, channels), Dense(count), kernel, bias, time_constants)


def channels_last(matrix: Floats) -> Floats:
    """Weights (units, channels, height, width) in the order of a dense layer, (inputs, units)."""
    return matrix.transpose(2, 3, 1, 0).reshape(-1, len(matrix))
