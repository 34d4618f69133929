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

A block is `width` neighbouring channels of one pixel: one vector for LLVM, which maps it to
whatever registers the processor has. Positions count values from the start of an array, across
all its dimensions; bounds are not checked.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import extending
from numba.core import cgutils, types

from snn_perception.backends.lanes import (
    LONG,
    WEIGHTS,
    WHOLE,
    Lanes,
    gather,
    load,
    splat,
    store,
)

EVENTS_AT_ONCE = 16
"""Events that `copy_events` copies: arrays of events have room for so many more than they hold."""

BITS_AT_ONCE = 4
"""Bits that `list_bits` lists at once: hardly ever do more neurons of a block spike."""

# numba's annotations do not know that callers leave out the first argument.
intrinsic: Any = extending.intrinsic


def _data(context: Any, builder: Any, signature: Any, arguments: Any, *indices: int) -> list:
    """Pointers to the values of those arrays among `arguments` that have these indices."""
    return [
        context.make_array(signature.args[index])(context, builder, arguments[index]).data
        for index in indices
    ]


def _fields(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """`value` of numba's type `kind`; a named tuple's arrays become pointers to their values."""
    if not isinstance(kind, types.NamedTuple | types.NamedUniTuple):
        return value
    return kind.instance_class(
        *(
            context.make_array(each)(context, builder, field).data
            if isinstance(each, types.Array)
            else field
            for each, field in zip(kind.types, cgutils.unpack_tuple(builder, value), strict=True)
        )
    )


@intrinsic
def step_neurons(
    typing: Any, shape: Any, arrays: Any, places: Any, row_count: Any, times: Any
) -> Any:
    """Advance a block of LIF neurons by one step; bit i of the result is set if neuron i spiked.

    Its input is the sum of `row_count` rows of weights, scaled if they are int8, and its block
    of `inputs`. Each order of the synapse decays and adds its input as it is. For the other
    arguments see the classes of these names in `event_memory`.
    """
    width, order, size = (each.count for each in shape.types)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, data, at, count, constants = (
            _fields(context, builder, *each)
            for each in zip(signature.args, arguments, strict=True)
        )

        def lanes_at(data: Any, position: Any) -> Lanes:
            return Lanes(builder, load(builder, builder.gep(data, [position]), width))

        def constant(value: Any) -> Lanes:
            return Lanes(builder, splat(builder, value, width))

        weights, rows = (
            builder.gep(data.weights, [at.weights]),
            builder.gep(data.rows, [at.rows]),
        )
        current = gather(builder, weights, WEIGHTS[size], width, rows, count)
        if WEIGHTS[size] == types.int8:
            current = current * lanes_at(data.scales, at.scales)
        current = current + lanes_at(data.inputs, at.inputs)
        position = at.neuron
        for _ in range(order):
            current = lanes_at(data.filters, position) * constant(constants.decay) + current
            store(builder, current.value, builder.gep(data.filters, [position]))
            position = builder.add(position, at.stride)
        state = [builder.gep(each, [at.neuron]) for each in (data.potentials, data.refractoriness)]
        potential, refractory = (Lanes(builder, load(builder, each, width)) for each in state)
        leak, longest = constant(constants.leak), constant(constants.longest)
        fired, *after = lif(current, potential, refractory, leak, longest)
        for value, pointer in zip(after, state, strict=True):
            store(builder, value.value, pointer)
        mask = builder.bitcast(fired, ir.IntType(width))
        return builder.zext(mask, LONG) if width < LONG.width else mask

    return types.uint64(shape, arrays, places, types.intp, times), generate


def lif(
    current: Lanes, potential: Lanes, refractory: Lanes, leak: Lanes, longest: Lanes
) -> tuple[Any, Lanes, Lanes]:
    """One step of `neurons.LIF.step`: who fires, then membrane potentials and refractoriness.

    It needs neither exp nor log. A potential keeps the fraction exp(-t / tau_rc) of its distance
    from the current J, where t is the part of the step in which it is not refractory. With r for
    the refractory time that is left, this fraction is exp((r - dt) / tau_rc), which is what
    `refractory` stores, but at least `leak`, exp(-dt / tau_rc), and at most 1. A potential that
    has gone from 1 to v since its spike has kept (J - v) / (J - 1), so this is exp(-t / tau_rc)
    for the time t since then; `longest` is exp((tau_ref - dt) / tau_rc).
    """
    refractory = refractory.at_least(leak)
    potential = current + (potential - current) * refractory.at_most(1)
    fired = potential > 1
    since = (current - potential) * ((current - 1).reciprocal() * longest)
    silent = Lanes(potential.builder, ir.Constant(potential.value.type, None))
    potential = silent.select(fired, potential.at_least(0))
    return fired, potential, since.select(fired, refractory * leak)


@intrinsic
def add_row_sums(
    typing: Any, lanes: Any, sums: Any, at: Any, weights: Any, rows: Any, count: Any
) -> Any:
    """Add rows of float32 `weights` to the block at `at` in `sums`.

    Their numbers are the first `count` in `rows`; the block is as wide as `lanes` is long.
    """
    width = lanes.count

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, rows_data, numbers = _data(context, builder, signature, arguments, 1, 3, 4)
        pointer = builder.gep(target, [arguments[2]])
        total = Lanes(builder, load(builder, pointer, width))
        total = total + gather(builder, rows_data, types.float32, width, numbers, arguments[5])
        store(builder, total.value, pointer)
        return context.get_dummy_value()

    return types.void(lanes, sums, types.intp, weights, rows, types.intp), generate


@intrinsic
def copy_events(typing: Any, target: Any, place: Any, events: Any, first: Any, shift: Any) -> Any:
    """Copy EVENTS_AT_ONCE events from `first` in `events` to `place` in `target`, plus `shift`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        to, numbers = _data(context, builder, signature, arguments, 0, 2)
        block = load(builder, builder.gep(numbers, [arguments[3]]), EVENTS_AT_ONCE, WHOLE)
        moved = splat(builder, builder.trunc(arguments[4], WHOLE), EVENTS_AT_ONCE)
        store(builder, builder.add(block, moved), builder.gep(to, [arguments[1]]))
        return context.get_dummy_value()

    return types.void(target, types.intp, events, types.intp, types.intp), generate


@intrinsic
def list_bits(typing: Any, events: Any, place: Any, mask: Any, first: Any) -> Any:
    """Write `first` plus the position of each bit set in `mask` to `events`, from `place` on.

    Returns the place after the last. Up to BITS_AT_ONCE values beyond that are overwritten.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (data,) = _data(context, builder, signature, arguments, 0)
        _, place, mask, number = arguments
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
            event = builder.trunc(builder.add(position, number), WHOLE)
            pointer = builder.gep(data, [builder.add(cursor, ir.Constant(LONG, offset))])
            builder.store(event, pointer)
            rest = builder.and_(rest, builder.sub(rest, one))
        bits.add_incoming(rest, loop)
        cursor.add_incoming(builder.add(cursor, ir.Constant(LONG, BITS_AT_ONCE)), loop)
        builder.cbranch(builder.icmp_unsigned('!=', rest, ir.Constant(LONG, 0)), loop, after)
        builder.position_at_end(after)
        return end

    return types.int64(events, types.intp, types.uint64, types.intp), generate


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
        (data,) = _data(context, builder, signature, arguments, 0)
        return builder.load(builder.gep(data, [arguments[1]]))

    return numbers.dtype(numbers, types.intp), generate


@intrinsic
def fetch_add(typing: Any, numbers: Any, index: Any, amount: Any) -> Any:
    """Add `amount` to the int64 at `index` in `numbers`, atomically; returns what it was before.

    A thread that sees the new number also sees whatever the adding thread wrote before.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (data,) = _data(context, builder, signature, arguments, 0)
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
