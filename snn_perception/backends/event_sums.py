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

"""Code that adds up rows of weights, for `vectors`.

A row is neighbouring channels, added up in registers as vectors of LANES. In int8 it is words of
16 bits: of two vectors, the first, plus BIAS, is in the lower bytes and the second in the upper
ones; if one vector is left over, so are its two halves. Whole words are added up, and upper bytes
for themselves, from which the sum of the lower ones follows. That takes fewer instructions than
to widen each byte before it is added.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import ir
from numba.core import cgutils

from snn_perception.backends.lanes import FLOAT, LONG, SHORT, WHOLE, Lanes, load, splat

LANES = 16
"""Channels of a vector."""

BIAS = 128
"""What is added to the weights in the lower bytes of words, so that they are not negative."""

MOST_INT8 = 256
"""As many int8 weights can be summed in int16 without overflow."""


class Rows:
    """Code that adds rows of weights to `totals`, variables for vectors of LANES float32.

    `size` is that of a weight in bytes. `numbers` points to the numbers of rows, in units of 8
    bytes.
    """

    def __init__(self, builder: Any, size: int, totals: list[Any], numbers: Any) -> None:
        self.builder = builder
        self.size = size
        self.totals = totals
        self.numbers = numbers

    def add(self, weights: Any, scales: Any, first: Any, end: Any) -> None:
        """Add the rows at `weights` whose numbers are the ones from `first` to `end`.

        `scales` points to what a 1 in int8 stands for.
        """
        if self.size == 1:
            self._add_words(weights, scales, first, end)
        else:
            with self._each_row(weights, first, end) as row:
                for place, total in self._places():
                    value = self._floats(row, place)
                    self._add_to(total, Lanes(self.builder, value))

    def _places(self) -> list[tuple[int, Any]]:
        """The first channel of each vector, and its total."""
        return [(LANES * index, total) for index, total in enumerate(self.totals)]

    def _add_to(self, total: Any, value: Lanes) -> None:
        self.builder.store((Lanes(self.builder, self.builder.load(total)) + value).value, total)

    def _floats(self, row: Any, place: int) -> Any:
        """The weights from number `place` on in `row`."""
        builder = self.builder
        if self.size == 4:
            return load(builder, self._at(builder.bitcast(row, FLOAT.as_pointer()), place), LANES)
        pointer = self._at(builder.bitcast(row, SHORT.as_pointer()), place)
        whole = ir.VectorType(WHOLE, LANES)
        bits = builder.zext(load(builder, pointer, LANES, SHORT), whole)
        shifted = builder.shl(bits, ir.Constant(whole, [16] * LANES))
        return builder.bitcast(shifted, ir.VectorType(FLOAT, LANES))

    def _add_words(self, weights: Any, scales: Any, first: Any, end: Any) -> None:
        """As many rows at a time as can be summed without overflow."""
        builder, kind = self.builder, first.type
        step = ir.Constant(kind, MOST_INT8)
        with cgutils.for_range_slice(builder, first, end, step, kind, inc=True) as (begin, _):
            last = builder.add(begin, step)
            last = builder.select(builder.icmp_signed('<', last, end), last, end)
            self._add_some_words(weights, scales, begin, last)

    def _add_some_words(self, weights: Any, scales: Any, first: Any, end: Any) -> None:
        builder, sums = self.builder, []
        for place in range(0, len(self.totals), 2):
            count = LANES if place + 1 < len(self.totals) else LANES // 2
            zero = ir.Constant(ir.VectorType(SHORT, count), None)
            # Of the words, and of their upper bytes alone.
            pair = [cgutils.alloca_once_value(builder, zero) for _ in range(2)]
            sums.append((place, count, *pair))
        with self._each_row(weights, first, end) as row:
            words = builder.bitcast(row, SHORT.as_pointer())
            for place, count, whole, upper in sums:
                value = load(builder, self._at(words, place * LANES // 2), count, SHORT)
                high = builder.ashr(value, ir.Constant(value.type, [8] * count))
                builder.store(builder.add(builder.load(whole), value), whole)
                builder.store(builder.add(builder.load(upper), high), upper)
        rows = builder.trunc(builder.sub(end, first), WHOLE)
        bias = builder.mul(rows, ir.Constant(WHOLE, BIAS))
        for place, count, whole, upper in sums:
            kind, high = ir.VectorType(WHOLE, count), builder.load(upper)
            low = builder.shl(high, ir.Constant(high.type, [8] * count))
            low = builder.zext(builder.sub(builder.load(whole), low), kind)
            low = builder.sub(low, splat(builder, bias, count))
            high = builder.sext(high, kind)
            if count == LANES:
                self._add_scaled(place, low, scales)
                self._add_scaled(place + 1, high, scales)
            else:
                order = ir.Constant(ir.VectorType(WHOLE, LANES), list(range(LANES)))
                self._add_scaled(place, builder.shuffle_vector(low, high, order), scales)

    def _add_scaled(self, index: int, value: Any, scales: Any) -> None:
        """Add `value`, int32, times its scales to the total number `index`."""
        builder = self.builder
        floats = Lanes(builder, builder.sitofp(value, ir.VectorType(FLOAT, LANES)))
        scale = Lanes(builder, load(builder, self._at(scales, index * LANES), LANES))
        self._add_to(self.totals[index], floats * scale)

    @contextmanager
    def _each_row(self, weights: Any, first: Any, end: Any) -> Iterator[Any]:
        """A loop over the rows at `weights` whose numbers are those from `first` to `end`."""
        builder, one = self.builder, ir.Constant(first.type, 1)
        with cgutils.for_range_slice(builder, first, end, one, first.type, inc=True) as (index, _):
            number = builder.load(builder.gep(self.numbers, [index]))
            # Loops with such a call, here of nothing, are not unrolled. That would only add a
            # branch that nobody can predict.
            nothing = ir.InlineAsm(ir.FunctionType(ir.VoidType(), []), '', '', side_effect=True)
            builder.call(nothing, [], attrs=('convergent', 'nounwind'))
            yield builder.gep(weights, [builder.sext(number, LONG)])

    def _at(self, pointer: Any, place: int) -> Any:
        return self.builder.gep(pointer, [ir.Constant(LONG, place)])
