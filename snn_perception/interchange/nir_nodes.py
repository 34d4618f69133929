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

"""The nodes that a model is written as in NIR; see `nir_writing`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.graph import Connection
from snn_perception.interchange.nir_kernels import symmetric
from snn_perception.interchange.timing import Timing
from snn_perception.layers import Pair, Shape
from snn_perception.model_file import ModelError
from snn_perception.network import MAXIMUM_WEIGHTS
from snn_perception.neurons import LIF


@dataclass(frozen=True)
class NodeMaker:
    """Makes nodes of the library `nir` for a network of `neuron`, LIF or IF.

    Shapes, channels first, are those of the values that arrive at a node.
    """

    nir: Any
    timing: Timing
    neuron: Any

    @property
    def joins_synapses(self) -> bool:
        """Whether a synapse is part of the neurons behind it."""
        return isinstance(self.neuron, LIF) and bool(self.timing.step)

    def for_spikes(self, kernel: NDArray[np.float32]) -> NDArray:
        """`kernel` on spikes of the area that they have there."""
        area = self.timing.spike_area
        return kernel if area == 1 else kernel.astype(np.float64) / area

    def neurons(self, shape: tuple[int, ...], joined_tau: float) -> Any:
        """Neurons, merged with a synapse if `joined_tau`, its time constant (s), is not 0."""
        step, zero, one = self.timing.step, _full(shape, 0), _full(shape, 1)
        if not isinstance(self.neuron, LIF):
            # Libraries add r I to the potential at every step, however long the step is.
            tau_rc = self.neuron.tau_rc
            r, threshold = (one, tau_rc / step) if step else (one / tau_rc, 1)
            return self.nir.IF(r, v_threshold=_full(shape, threshold), v_reset=zero)
        tau = self.timing.for_nir(self.neuron.tau_rc)
        membrane = {'v_leak': zero, 'v_threshold': one, 'v_reset': zero}
        if not joined_tau:
            return self.nir.LIF(tau=_full(shape, tau), r=one, **membrane)
        r, tau_syn = _full(shape, tau / step), _full(shape, self.timing.for_nir(joined_tau))
        # In float64, so that the product of the two is 1.
        w_in = 1 / r.astype(np.float64)
        return self.nir.CubaLIF(tau_syn, _full(shape, tau), r, w_in=w_in, **membrane)

    def leaky_integrator(self, shape: tuple[int, ...], tau: float) -> Any:
        """An exponential synapse of the time constant `tau` (s)."""
        tau = self.timing.for_nir(tau)
        return self.nir.LI(tau=_full(shape, tau), r=_full(shape, 1), v_leak=_full(shape, 0))

    def pooling(self, block: Pair) -> Any:
        """Means over blocks of (rows, columns)."""
        size = np.array(block)
        return self.nir.AvgPool2d(kernel_size=size, stride=size, padding=np.array([0, 0]))

    def flatten(self, shape: tuple[int, ...]) -> Any:
        """A map as a vector."""
        return self.nir.Flatten({'input': np.array(shape)}, start_dim=0)

    def scale(self, shape: tuple[int, ...], factor: np.floating) -> Any:
        """All values times a `factor`, in its precision."""
        return self.nir.Scale(np.full(shape, factor))

    def convolution(
        self,
        connection: Connection,
        kernel: NDArray,
        bias: NDArray[np.float32] | None,
        where: str,
    ) -> Any:
        """A connection from a map to a map, with the `kernel` of `Connection.convolution`.

        Raises ModelError, which says `where`, if its padding would take too large a kernel.
        """
        layer, around = symmetric(connection.convolution, connection.input_shape)
        count = np.prod(layer.weight_shape(connection.input_shape), dtype=float)
        if count > MAXIMUM_WEIGHTS:
            raise ModelError(
                f'the padding of {where} takes a kernel of {count:.0f} weights in NIR, more than '
                f'the {MAXIMUM_WEIGHTS} allowed'
            )
        wider = np.pad(kernel, (*around, (0, 0), (0, 0)))
        node = self.nir.Conv2d(
            input_shape=connection.input_shape[:2],
            weight=np.ascontiguousarray(wider.transpose(3, 2, 0, 1)),
            stride=layer.strides,
            padding=tuple(before for before, _ in layer.margins),
            dilation=1,
            groups=layer.groups,
            bias=np.zeros(layer.channels, np.float32) if bias is None else bias,
        )
        # The library nir takes all kernels to be square and without groups.
        node.input_type = {'input': np.array(channels_first(connection.input_shape))}
        node.output_type = {'output': np.array(channels_first(connection.output_shape))}
        return node

    def matrix(self, kernel: NDArray, bias: NDArray[np.float32] | None) -> Any:
        """A dense layer, whose inputs are a flattened map with its channels first in NIR."""
        matrix = kernel.transpose(3, 2, 0, 1)
        matrix = np.ascontiguousarray(matrix.reshape(len(matrix), -1))
        return self.nir.Linear(matrix) if bias is None else self.nir.Affine(matrix, bias)


def channels_first(shape: Shape) -> tuple[int, int, int]:
    """(height, width, channels) as NIR has it."""
    return (shape[2], shape[0], shape[1])


def _full(shape: tuple[int, ...], value: float) -> NDArray[np.float32]:
    return np.full(shape, value, np.float32)
