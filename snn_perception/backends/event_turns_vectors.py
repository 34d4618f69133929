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

"""Code for layers that take turns: weighted sums of many pixels at once, and counts of spikes."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types

from snn_perception.backends.event_sums import LANES
from snn_perception.backends.lanes import BYTE, FLOAT, LONG, WHOLE, Lanes, load, splat, store
from snn_perception.backends.vectors import data_of, intrinsic


@intrinsic
def add_weighted(
    typing: Any,
    pixels: Any,
    sums: Any,
    place: Any,
    stride: Any,
    patches: Any,
    patch: Any,
    patch_stride: Any,
    weights: Any,
    weight: Any,
    taps: Any,
    tap_stride: Any,
    inputs: Any,
) -> Any:
    """Add weighted inputs to a vector of sums of each of neighbouring pixels.

    There are as many pixels as the tuple `pixels` is long. Their vectors are at `place` in `sums`
    and each `stride` on. The inputs are at `patch` in `patches`, and each pixel's `patch_stride`
    on: at each of `taps` places, `tap_stride` from one to the next, there are `inputs`. Each has
    a vector of weights, and these follow one another from `weight` on.
    """
    count = pixels.count

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        totals, values, rows = data_of(context, builder, signature, arguments, 1, 4, 7)
        _, _, place, stride, _, patch, patch_stride, _, weight, *lengths = arguments
        taps, tap_stride, inputs = lengths
        vectors, pointers, variables = [], [], []
        first = builder.gep(values, [patch])
        for _ in range(count):
            vectors.append(builder.gep(totals, [place]))
            value = load(builder, vectors[-1], LANES)
            variables.append(cgutils.alloca_once_value(builder, value))
            pointers.append(first)
            place, first = builder.add(place, stride), builder.gep(first, [patch_stride])
        row, lanes = builder.gep(rows, [weight]), ir.Constant(LONG, LANES)
        with cgutils.for_range(builder, taps) as outer:
            offset = builder.mul(outer.index, tap_stride)
            begin = builder.mul(outer.index, builder.mul(inputs, lanes))
            with cgutils.for_range(builder, inputs) as inner:
                at = builder.add(begin, builder.mul(inner.index, lanes))
                factors = Lanes(builder, load(builder, builder.gep(row, [at]), LANES))
                index = builder.add(offset, inner.index)
                for variable, pointer in zip(variables, pointers, strict=True):
                    value = builder.load(builder.gep(pointer, [index]))
                    product = factors * Lanes(builder, splat(builder, value, LANES))
                    total = Lanes(builder, builder.load(variable)) + product
                    builder.store(total.value, variable)
        for variable, pointer in zip(variables, vectors, strict=True):
            store(builder, builder.load(variable), pointer)
        return context.get_dummy_value()

    longs = (types.intp,) * 12
    kinds = (pixels, sums, *longs[:2], patches, *longs[:2], weights, *longs[:4])
    return types.void(*kinds), generate


@intrinsic
def add_channelwise(
    typing: Any,
    sums: Any,
    place: Any,
    counts: Any,
    source: Any,
    row_stride: Any,
    stride: Any,
    weights: Any,
    weight: Any,
    weight_row_stride: Any,
    weight_stride: Any,
    rows: Any,
    columns: Any,
) -> Any:
    """Add to a vector of sums the counts of a window of its channels, each times its weight.

    The window of `rows` and `columns` begins at `source` in `counts`, and at `weight` in
    `weights`; strides are those from one of its rows, or pixels, to the next.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        totals, values, factors = data_of(context, builder, signature, arguments, 0, 2, 6)
        _, place, _, source, row_stride, stride, _, *others = arguments
        weight, weight_row_stride, weight_stride, rows, columns = others
        pointer = builder.gep(totals, [place])
        variable = cgutils.alloca_once_value(builder, load(builder, pointer, LANES))
        kind = ir.VectorType(FLOAT, LANES)
        with cgutils.for_range(builder, rows) as outer:
            first = builder.add(source, builder.mul(outer.index, row_stride))
            begin = builder.add(weight, builder.mul(outer.index, weight_row_stride))
            with cgutils.for_range(builder, columns) as inner:
                index = builder.add(first, builder.mul(inner.index, stride))
                value = load(builder, builder.gep(values, [index]), LANES, BYTE)
                value = builder.zext(value, ir.VectorType(WHOLE, LANES))
                index = builder.add(begin, builder.mul(inner.index, weight_stride))
                factor = Lanes(builder, load(builder, builder.gep(factors, [index]), LANES))
                product = factor * Lanes(builder, builder.sitofp(value, kind))
                total = Lanes(builder, builder.load(variable)) + product
                builder.store(total.value, variable)
        store(builder, builder.load(variable), pointer)
        return context.get_dummy_value()

    longs = (types.intp,) * 5
    kinds = (sums, types.intp, counts, *longs[:3], weights, *longs)
    return types.void(*kinds), generate


@intrinsic
def count_reached(
    typing: Any, currents: Any, place: Any, thresholds: Any, row: Any, counts: Any, at: Any
) -> Any:
    """Write to `counts`, from `at` on, how many thresholds each of a vector of currents reaches.

    The thresholds are those from `row` on, in order, with NaN behind the last. Returns the sum.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data, limits, results = data_of(context, builder, signature, arguments, 0, 2, 4)
        _, place, _, row, _, at = arguments
        values = load(builder, builder.gep(data, [place]), LANES)
        first = builder.gep(limits, [row])
        before = builder.block
        loop, after = (builder.append_basic_block(name) for name in ('reached', 'reached.after'))
        builder.branch(loop)
        builder.position_at_end(loop)
        bytes_of, bits = ir.VectorType(BYTE, LANES), ir.IntType(LANES)
        index, total = builder.phi(LONG), builder.phi(bytes_of)
        index.add_incoming(ir.Constant(LONG, 0), before)
        total.add_incoming(ir.Constant(bytes_of, None), before)
        limit = splat(builder, builder.load(builder.gep(first, [index])), LANES)
        reached = builder.fcmp_ordered('>=', values, limit)
        more = builder.add(total, builder.zext(reached, bytes_of))
        total.add_incoming(more, loop)
        index.add_incoming(builder.add(index, ir.Constant(LONG, 1)), loop)
        some = builder.icmp_unsigned('!=', builder.bitcast(reached, bits), ir.Constant(bits, 0))
        builder.cbranch(some, loop, after)
        builder.position_at_end(after)
        store(builder, more, builder.gep(results, [at]))
        wide = ir.VectorType(WHOLE, LANES)
        name = f'llvm.vector.reduce.add.v{LANES}i32'
        add = cgutils.get_or_insert_function(builder.module, ir.FunctionType(WHOLE, [wide]), name)
        return builder.zext(builder.call(add, [builder.zext(more, wide)]), LONG)

    return types.int64(currents, types.intp, thresholds, types.intp, counts, types.intp), generate
