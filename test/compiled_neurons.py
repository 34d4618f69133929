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

"""The steps of neurons as the sparse engine runs them, without the rest of that engine."""

from __future__ import annotations

from functools import cache
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from snn_perception.backends.event_neurons import CODES, code_of
from snn_perception.backends.lanes import Lanes, load, splat, store


@cache
def step_of(kind: type, width: int) -> Any:
    """Compiled: advance neurons of a kind by one step, `width` at a time.

    Arguments: float32 arrays (neurons,) of currents and (states, neurons) of state, which it
    changes, the constants, and a bool array (neurons,) for who fires.
    """
    code = CODES[kind]

    @intrinsic
    def step_block(typing: Any, currents: Any, state: Any, constants: Any, fired: Any, at: Any):
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            data = [
                context.make_array(array)(context, builder, value).data
                for array, value in zip(signature.args[:4], arguments[:4], strict=True)
            ]
            shape = context.make_array(signature.args[0])(context, builder, arguments[0]).shape
            count = builder.extract_value(shape, 0)
            places, place = [], arguments[4]
            for _ in range(code.states):
                places.append(builder.gep(data[1], [place]))
                place = builder.add(place, count)
            known = len(code.constants(kind(), 0.001))
            values = [
                builder.load(builder.gep(data[2], [ir.Constant(place.type, index)]))
                for index in range(known)
            ]
            current = Lanes(builder, load(builder, builder.gep(data[0], [arguments[4]]), width))
            who, after = code.step(
                current,
                [Lanes(builder, load(builder, each, width)) for each in places],
                [Lanes(builder, splat(builder, value, width)) for value in values],
            )
            for value, pointer in zip(after, places, strict=True):
                store(builder, value.value, pointer)
            bytes_ = builder.zext(who, ir.VectorType(ir.IntType(8), width))
            store(builder, bytes_, builder.gep(data[3], [arguments[4]]))
            return context.get_dummy_value()

        return types.void(currents, state, constants, fired, types.intp), generate

    @numba.njit(error_model='numpy', nogil=True)
    def step(currents: Any, state: Any, constants: Any, fired: Any) -> None:
        for at in range(0, currents.size, width):
            step_block(currents, state, constants, fired, at)

    return step


class CompiledNeurons:
    """`count` neurons at rest, `width` of them a vector."""

    def __init__(self, neuron: Any, dt: float, count: int, width: int = 16) -> None:
        code = code_of(neuron, dt)
        padded = -(-count // width) * width
        self.count = count
        self._currents = np.zeros(padded, np.float32)
        self._fired = np.zeros(padded, bool)
        self.state = np.repeat(np.float32(code.resting(neuron, dt))[:, None], padded, axis=1)
        self._constants = code.constants(neuron, dt)
        self._step = step_of(type(neuron), width)

    def step(self, currents: Any) -> Any:
        """Which of them fire in a step under these currents."""
        self._currents[: self.count] = currents
        self._step(self._currents, self.state, self._constants, self._fired)
        return self._fired[: self.count].copy()
