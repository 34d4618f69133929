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

"""Code for a block of one pixel: what arrives there is added up, and its neurons take their steps.

A block is neighbouring channels of one pixel, vectors of LANES, which LLVM maps to whatever
registers the processor has. Its sums stay in registers until the neurons have used them, and so
does the neurons' state, as far as there are enough.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types

from snn_perception.backends.event_memory import OFFSETS, WINDOW
from snn_perception.backends.event_neurons import CODES
from snn_perception.backends.event_sums import LANES, Rows
from snn_perception.backends.lanes import FLOAT, LONG, SHORT, WHOLE, Lanes, load, splat, store
from snn_perception.backends.vectors import CACHE_LINE, fields, intrinsic


@intrinsic
def run_pixel(
    typing: Any, shape: Any, network: Any, neurons: Any, run: Any, inputs: Any, places: Any
) -> Any:
    """Advance a block's neurons through all steps, and say in `run.masks` who spiked in which.

    Their current is what arrives after the synapse, each order of which decays and adds its input
    as it is, plus `inputs`. For the other arguments see the classes of these names in
    `event_memory`.
    """
    vectors, size, order, kind, known = (each.count for each in shape.types)
    code = list(CODES.values())[kind]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        parts = [
            fields(context, builder, *each) for each in zip(signature.args, arguments, strict=True)
        ]
        _, whole, memory, results, constant, at = parts
        block = _Block(builder, vectors)
        stored = [
            pointer
            for data, count in ((memory.filters, order), (memory.state, code.states))
            for pointer in block.places_of(data, at.neuron, at.stride, count)
        ]
        # Variables that LLVM keeps in registers, if it can.
        values = [block.variables(pointer) for pointer in stored]
        given = block.load(builder.gep(constant, [at.inputs]))
        numbers = [
            block.splat(builder.load(builder.gep(whole.constants, [ir.Constant(LONG, index)])))
            for index in range(known)
        ]
        decay = block.splat(whole.decay)
        arriving = _Arriving(builder, size, vectors, whole, results, at)
        if size:
            arriving.prepare(ir.Constant(LONG, 0))
        with cgutils.for_range(builder, results.steps) as loop:
            if size:
                arriving.prepare(builder.add(loop.index, ir.Constant(LONG, 1)))
            sums = arriving.sums(loop.index) if size else None
            mask = builder.add(at.mask, builder.mul(loop.index, at.mask_stride))
            for vector in range(vectors):
                before = [Lanes(builder, builder.load(value[vector])) for value in values]
                current, after = given[vector], []
                if sums:
                    current = Lanes(builder, builder.load(sums[vector]))
                    for value in before[:order]:
                        current = value * decay + current
                        after.append(current)
                    current = current + given[vector]
                fired, state = code.step(current, before[order:], numbers)
                for variable, value in zip(values, after + state, strict=True):
                    builder.store(value.value, variable[vector])
                place = builder.add(mask, ir.Constant(LONG, vector))
                builder.store(builder.bitcast(fired, SHORT), builder.gep(results.masks, [place]))
        for pointer, variables in zip(stored, values, strict=True):
            block.store([Lanes(builder, builder.load(each)) for each in variables], pointer)
        return context.get_dummy_value()

    return types.void(shape, network, neurons, run, inputs, places), generate


@intrinsic
def add_up(typing: Any, shape: Any, network: Any, run: Any, places: Any, step: Any) -> Any:
    """Write to the thread's part of `run.sums` what arrives at a block in a step."""
    vectors, size = (each.count for each in shape.types[:2])

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        parts = [
            fields(context, builder, *each) for each in zip(signature.args, arguments, strict=True)
        ]
        _, whole, results, at, index = parts
        sums = _Arriving(builder, size, vectors, whole, results, at).sums(index)
        totals = [Lanes(builder, builder.load(total)) for total in sums]
        _Block(builder, vectors).store(totals, builder.gep(results.sums, [at.sums]))
        return context.get_dummy_value()

    return types.void(shape, network, run, places, types.intp), generate


class _Block:
    """Code for blocks of `vectors` vectors in memory."""

    def __init__(self, builder: Any, vectors: int) -> None:
        self.builder = builder
        self.offsets = [ir.Constant(LONG, vector * LANES) for vector in range(vectors)]

    def places_of(self, data: Any, first: Any, stride: Any, count: int) -> list:
        """Pointers to `count` blocks of `data`, `stride` values from one to the next."""
        pointers = []
        for _ in range(count):
            pointers.append(self.builder.gep(data, [first]))
            first = self.builder.add(first, stride)
        return pointers

    def load(self, pointer: Any) -> list[Lanes]:
        """The vectors of the block at `pointer`."""
        builder = self.builder
        pointers = [builder.gep(pointer, [offset]) for offset in self.offsets]
        return [Lanes(builder, load(builder, each, LANES)) for each in pointers]

    def variables(self, pointer: Any) -> list:
        """Variables that hold the vectors of the block at `pointer`."""
        loaded = self.load(pointer)
        return [cgutils.alloca_once_value(self.builder, each.value) for each in loaded]

    def store(self, vectors: list[Lanes], pointer: Any) -> None:
        """Write `vectors` to the block at `pointer`."""
        for offset, vector in zip(self.offsets, vectors, strict=True):
            store(self.builder, vector.value, self.builder.gep(pointer, [offset]))

    def splat(self, scalar: Any) -> Lanes:
        """A vector with `scalar` in every lane."""
        return Lanes(self.builder, splat(self.builder, scalar, LANES))


class _Arriving:
    """Code for the sums of what arrives at a block through its windows, see `WINDOW`."""

    def __init__(
        self, builder: Any, size: int, vectors: int, network: Any, run: Any, at: Any
    ) -> None:
        self.builder = builder
        self.size = size
        self.block = _Block(builder, vectors)
        self.network = network
        self.run = run
        self.at = at
        # On the stack. As it is aligned, so is where LLVM keeps what registers have no room for.
        memory = cgutils.alloca_once(builder, ir.ArrayType(FLOAT, 2 * vectors * LANES))
        memory.align = CACHE_LINE
        self.memory = builder.bitcast(memory, FLOAT.as_pointer())
        self.is_channelwise = builder.icmp_signed('<', at.full, at.windows)

    def prepare(self, step: Any) -> None:
        """Add up in memory what arrives through channelwise links in `step`, if there is one.

        This should happen a step ahead: what was written channel by channel can be read as a
        vector only after a while.
        """
        builder, at = self.builder, self.at
        is_one = builder.icmp_signed('<', step, self.run.steps)
        with builder.if_then(builder.and_(is_one, self.is_channelwise)):
            sums = self._prepared(step)
            zero = Lanes(builder, ir.Constant(ir.VectorType(FLOAT, LANES), None))
            self.block.store([zero] * len(self.block.offsets), sums)
            with cgutils.for_range(builder, builder.sub(at.windows, at.full)) as loop:
                first, end, weights, _ = self._window(builder.add(loop.index, at.full), step)
                self._add_channels(sums, weights, first, end)

    def sums(self, step: Any) -> list:
        """Variables with the sums of the block's vectors in `step`."""
        builder = self.builder
        zero = ir.Constant(ir.VectorType(FLOAT, LANES), None)
        totals = [cgutils.alloca_once(builder, zero.type) for _ in self.block.offsets]
        for total in totals:
            builder.store(zero, total)
        with cgutils.for_range(builder, self.at.full) as loop:
            first, end, weights, scale = self._window(loop.index, step)
            scales = builder.gep(self.network.scales, [scale])
            Rows(builder, self.size, totals, self.run.events).add(weights, scales, first, end)
        with builder.if_then(self.is_channelwise):
            for total, value in zip(totals, self.block.load(self._prepared(step)), strict=True):
                builder.store((Lanes(builder, builder.load(total)) + value).value, total)
        return totals

    def _prepared(self, step: Any) -> Any:
        """A pointer to the sums that `prepare` has left for `step`."""
        builder, lanes = self.builder, len(self.block.offsets) * LANES
        turn = builder.and_(step, ir.Constant(LONG, 1))
        return builder.gep(self.memory, [builder.mul(turn, ir.Constant(LONG, lanes))])

    def _window(self, number: Any, step: Any) -> tuple[Any, Any, Any, Any]:
        """The first and the end of a window's events, a pointer to its weights, its scales."""
        builder, length = self.builder, ir.Constant(LONG, len(WINDOW))
        place = builder.add(self.at.window, builder.mul(number, length))
        values = [
            builder.load(
                builder.gep(self.run.windows, [builder.add(place, ir.Constant(LONG, index))])
            )
            for index in range(len(WINDOW))
        ]
        begin, end, events, weights, scale = values
        bounds = [
            builder.load(builder.gep(self.run.starts, [builder.add(each, step)]))
            for each in (begin, end)
        ]
        first, last = (builder.add(events, builder.sext(bound, LONG)) for bound in bounds)
        data = builder.bitcast(self.network.weights, LONG.as_pointer())
        return first, last, builder.gep(data, [weights]), scale

    def _add_channels(self, sums: Any, weights: Any, first: Any, end: Any) -> None:
        """Add single weights, each to the channel that it is of.

        There are OFFSETS in a row for the same offset in the window, one for each channel.
        """
        builder, one = self.builder, ir.Constant(LONG, 1)
        weights = builder.bitcast(weights, sums.type)
        with cgutils.for_range_slice(builder, first, end, one, LONG, inc=True) as (index, _):
            number = builder.load(builder.gep(self.run.events, [index]))
            weight = builder.load(builder.gep(weights, [builder.sext(number, LONG)]))
            channel = builder.and_(number, ir.Constant(WHOLE, OFFSETS - 1))
            place = builder.gep(sums, [builder.zext(channel, LONG)])
            builder.store(builder.fadd(builder.load(place), weight), place)
