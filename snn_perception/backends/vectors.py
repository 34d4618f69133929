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

"""Operations for which loops in numba are too slow, written directly in LLVM's instructions.

Positions count values from the start of an array, across all its dimensions; bounds are not
checked.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import extending
from numba.core import cgutils, types

from snn_perception.backends.lanes import LONG, WHOLE

CACHE_LINE = 64
"""Bytes."""

BITS_AT_ONCE = 4
"""Bits that `list_bits` lists at once: hardly ever do more neurons of a block spike."""

# numba's annotations do not know that callers leave out the first argument.
intrinsic: Any = extending.intrinsic


def data_of(context: Any, builder: Any, signature: Any, arguments: Any, *indices: int) -> list:
    """Pointers to the values of those arrays among `arguments` that have these indices."""
    return [
        context.make_array(signature.args[index])(context, builder, arguments[index]).data
        for index in indices
    ]


def fields(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """`value` of numba's type `kind`; a named tuple's arrays become pointers to their values.

    An array alone becomes one, too.
    """
    if isinstance(kind, types.Array):
        return context.make_array(kind)(context, builder, value).data
    if not isinstance(kind, types.NamedTuple | types.NamedUniTuple):
        return value
    values = cgutils.unpack_tuple(builder, value)
    parts = zip(kind.types, values, strict=True)
    return kind.instance_class(*(fields(context, builder, *part) for part in parts))


@intrinsic
def list_bits(typing: Any, events: Any, place: Any, mask: Any, first: Any, units: Any) -> Any:
    """Write (`first` + bit) * `units` for each bit set in `mask` to `events`, from `place` on.

    Returns the place after the last. Up to BITS_AT_ONCE values beyond that are overwritten.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (data,) = data_of(context, builder, signature, arguments, 0)
        _, place, mask, number, units = arguments
        end = builder.add(place, builder.ctpop(mask))
        before = builder.block
        loop, after = (builder.append_basic_block(name) for name in ('bits', 'bits.after'))
        builder.branch(loop)
        builder.position_at_end(loop)
        bits, cursor = builder.phi(LONG), builder.phi(LONG)
        bits.add_incoming(mask, before)
        cursor.add_incoming(place, before)
        rest, one = bits, ir.Constant(LONG, 1)
        for offset in range(BITS_AT_ONCE):
            position = builder.cttz(rest, ir.Constant(ir.IntType(1), 0))
            event = builder.mul(builder.add(position, number), units)
            pointer = builder.gep(data, [builder.add(cursor, ir.Constant(LONG, offset))])
            builder.store(builder.trunc(event, WHOLE), pointer)
            rest = builder.and_(rest, builder.sub(rest, one))
        bits.add_incoming(rest, loop)
        cursor.add_incoming(builder.add(cursor, ir.Constant(LONG, BITS_AT_ONCE)), loop)
        builder.cbranch(builder.icmp_unsigned('!=', rest, ir.Constant(LONG, 0)), loop, after)
        builder.position_at_end(after)
        return end

    return types.int64(events, types.intp, types.uint64, types.intp, types.intp), generate


@intrinsic
def word_at(typing: Any, masks: Any, index: Any, valid: Any) -> Any:
    """The bits of four masks from `index` on, the first the lowest, as far as `valid` has them."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (data,) = data_of(context, builder, signature, arguments, 0)
        pointer = builder.bitcast(builder.gep(data, [arguments[1]]), LONG.as_pointer())
        return builder.and_(builder.load(pointer, align=2), arguments[2])

    return types.uint64(masks, types.intp, types.uint64), generate


@intrinsic
def fetch_ahead(typing: Any, memory: Any, first: Any, length: Any) -> Any:
    """Ask for `length` bytes from `first` on in `memory`, an array of bytes, into the cache."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (data,) = data_of(context, builder, signature, arguments, 0)
        kind = ir.FunctionType(ir.VoidType(), [data.type, WHOLE, WHOLE, WHOLE])
        fetch = cgutils.get_or_insert_function(builder.module, kind, 'llvm.prefetch.p0i8')
        # To read, into the second level, data.
        how = [ir.Constant(WHOLE, number) for number in (0, 2, 1)]
        _, first, length = arguments
        step, end = ir.Constant(LONG, CACHE_LINE), builder.add(first, length)
        with cgutils.for_range_slice(builder, first, end, step, LONG, inc=True) as (place, _):
            builder.call(fetch, [builder.gep(data, [place]), *how])
        return context.get_dummy_value()

    return types.void(memory, types.intp, types.intp), generate


@intrinsic
def count_bits(typing: Any, mask: Any) -> Any:
    """The number of bits that are set in `mask`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


@intrinsic
def look_up(typing: Any, numbers: Any, index: Any) -> Any:
    """The value at `index` in `numbers`, without checking whether `index` is negative."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (data,) = data_of(context, builder, signature, arguments, 0)
        return builder.load(builder.gep(data, [arguments[1]]))

    return numbers.dtype(numbers, types.intp), generate


@intrinsic
def fetch_add(typing: Any, numbers: Any, index: Any, amount: Any) -> Any:
    """Add `amount` to the int64 at `index` in `numbers`, atomically; returns what it was before.

    A thread that sees the new number also sees whatever the adding thread wrote before.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (data,) = data_of(context, builder, signature, arguments, 0)
        pointer = builder.gep(data, [arguments[1]])
        return builder.atomic_rmw('add', pointer, arguments[2], 'seq_cst')

    return types.int64(numbers, types.intp, types.int64), generate


@intrinsic
def give_way(typing: Any) -> Any:
    """Yield the processor to another thread if one is waiting for it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(WHOLE, [])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, 'sched_yield'), [])
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def call_loop(
    typing: Any, address: Any, network: Any, neurons: Any, run: Any, shown: Any, task: Any
) -> Any:
    """Call a function that numba has compiled for these arguments, by its `address`.

    It must be compiled for exactly their types, and return nothing.
    """
    kinds = (network, neurons, run, shown, task)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        convention = context.call_conv
        kind = convention.get_function_type(types.none, kinds)
        function = builder.inttoptr(arguments[0], kind.as_pointer())
        status, _ = convention.call_function(builder, function, types.none, kinds, arguments[1:])
        with cgutils.if_unlikely(builder, status.is_error):
            convention.return_status_propagate(builder, status)
        return context.get_dummy_value()

    return types.none(types.intp, *kinds), generate
