"""Vector operations that numba's own loops are too slow for, written once in LLVM's terms.

A block is `width` neighbouring channels of one pixel: a vector of LLVM, which it lowers to
whatever registers a processor has. How wide is part of the type of `lanes`, a tuple of that
length. Positions are counted in values from the start of an array; nothing is checked.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import extending
from numba.core import cgutils, types

FLOAT = ir.FloatType()

MOST_EVENTS = 256
"""As many weights of int8 fit into a sum of int16."""

# Its annotations do not know that callers leave out the first argument.
intrinsic: Any = extending.intrinsic


class Lanes:
    """A vector of float32 in the code being built, with the operators of arithmetic."""

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder = builder
        self.value = value

    def _operand(self, other: Lanes | float) -> Any:
        if isinstance(other, Lanes):
            return other.value
        return ir.Constant(self.value.type, [float(other)] * self.value.type.count)

    def _apply(self, operation: str, other: Lanes | float) -> Lanes:
        apply = getattr(self.builder, operation)
        return Lanes(self.builder, apply(self.value, self._operand(other), flags=('contract',)))

    def __add__(self, other: Lanes | float) -> Lanes:
        return self._apply('fadd', other)

    def __sub__(self, other: Lanes | float) -> Lanes:
        return self._apply('fsub', other)

    def __mul__(self, other: Lanes | float) -> Lanes:
        return self._apply('fmul', other)

    def __truediv__(self, other: Lanes | float) -> Lanes:
        return self._apply('fdiv', other)

    def __gt__(self, other: Lanes | float) -> Any:
        return self.builder.fcmp_ordered('>', self.value, self._operand(other))

    def select(self, condition: Any, other: Lanes | float) -> Lanes:
        """This where `condition` holds, otherwise `other`."""
        value = self.builder.select(condition, self.value, self._operand(other))
        return Lanes(self.builder, value)

    def at_least(self, other: Lanes | float) -> Lanes:
        """The larger of both."""
        return self.select(self > other, other)

    def at_most(self, other: Lanes | float) -> Lanes:
        """The smaller of both."""
        return Lanes(self.builder, self._operand(other)).select(self > other, self)


def _block(builder: Any, pointer: Any, width: int, element: Any = FLOAT) -> Any:
    """The vector at `pointer`, which need not be aligned."""
    vector = ir.VectorType(element, width)
    return builder.load(builder.bitcast(pointer, vector.as_pointer()), align=1)


def _put(builder: Any, value: Any, pointer: Any) -> None:
    builder.store(value, builder.bitcast(pointer, value.type.as_pointer()), align=1)


def _splat(builder: Any, scalar: Any, width: int) -> Lanes:
    """`scalar` in every place of a vector."""
    empty = ir.Constant(ir.VectorType(FLOAT, width), ir.Undefined)
    first = builder.insert_element(empty, scalar, ir.Constant(ir.IntType(32), 0))
    places = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)
    return Lanes(builder, builder.shuffle_vector(first, empty, places))


def _row_of_weights(builder: Any, pointer: Any, kind: Any, width: int) -> Any:
    """A row of weights as it is added up: float32, of bfloat16 too, or int16 of int8."""
    if kind == types.float32:
        return _block(builder, pointer, width)
    if kind == types.int8:
        row = _block(builder, pointer, width, ir.IntType(8))
        return builder.sext(row, ir.VectorType(ir.IntType(16), width))
    bits = _block(builder, pointer, width, ir.IntType(16))
    whole = ir.VectorType(ir.IntType(32), width)
    shifted = builder.shl(builder.zext(bits, whole), ir.Constant(whole, [16] * width))
    return builder.bitcast(shifted, ir.VectorType(FLOAT, width))


@intrinsic
def copy_block(typing: Any, lanes: Any, sums: Any, source: Any, at: Any) -> Any:
    """Set `sums` (width,) to the block at `at` in `source`, which is of the same type."""
    width = lanes.count

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, values = (
            context.make_array(type_)(context, builder, array).data
            for type_, array in zip(signature.args[1:3], arguments[1:3], strict=True)
        )
        element = context.get_data_type(source.dtype)
        block = _block(builder, builder.gep(values, [arguments[3]]), width, element)
        _put(builder, block, target)
        return context.get_dummy_value()

    return types.void(lanes, sums, source, types.intp), generate


@intrinsic
def gather_add(
    typing: Any,
    lanes: Any,
    sums: Any,
    weights: Any,
    events: Any,
    first: Any,
    last: Any,
    shift: Any,
) -> Any:
    """Add to `sums` (width,) the rows of `weights` of the events from `first` to before `last`.

    The row of an event is its number plus `shift`. Weights are float32 or the bits of bfloat16
    and sums float32; or weights are int8 and sums int32, and then the events are at most
    MOST_EVENTS, so that int16 holds them.
    """
    width, kind = lanes.count, weights.dtype
    element = ir.IntType(16) if kind == types.int8 else FLOAT
    vector = ir.VectorType(element, width)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, rows, numbers = (
            context.make_array(type_)(context, builder, array).data
            for type_, array in zip(signature.args[1:4], arguments[1:4], strict=True)
        )
        begin, end, moved = arguments[4:]
        total = cgutils.alloca_once_value(builder, ir.Constant(vector, None))
        one = ir.Constant(begin.type, 1)
        with cgutils.for_range_slice(builder, begin, end, one, begin.type, inc=True) as (index, _):
            event = builder.sext(builder.load(builder.gep(numbers, [index])), moved.type)
            position = builder.mul(builder.add(event, moved), ir.Constant(moved.type, width))
            row = _row_of_weights(builder, builder.gep(rows, [position]), kind, width)
            add = builder.add if kind == types.int8 else builder.fadd
            builder.store(add(builder.load(total), row), total)
        result = builder.load(total)
        if kind == types.int8:
            whole = ir.IntType(32)
            result = builder.sext(result, ir.VectorType(whole, width))
            result = builder.add(_block(builder, target, width, whole), result)
        else:
            result = builder.fadd(_block(builder, target, width), result)
        _put(builder, result, target)
        return context.get_dummy_value()

    count = types.intp
    return types.void(lanes, sums, weights, events, count, count, count), generate


@intrinsic
def step_neurons(
    typing: Any,
    lanes: Any,
    orders: Any,
    sums: Any,
    scales: Any,
    bias: Any,
    channel: Any,
    constants: Any,
    filters: Any,
    potentials: Any,
    refractories: Any,
    at: Any,
    stride: Any,
) -> Any:
    """One step of a block of LIF neurons under `sums` (width,); bit i is set where i spiked.

    Sums of int32 count `scales`. The block is at `at` in potentials, refractories and filters,
    in which the next order of the synapse is `stride` further on, and at `channel` in scales
    and bias. The length of `orders` is the order of the synapse. constants: decay, 1 - decay,
    -1 / tau_rc, tau_ref, dt, 2 tau_rc and the largest z there is. Equations and series:
    `kernels.integrate`.
    """
    width, order = lanes.count, orders.count

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def data(index: int, position: Any = None) -> Any:
            array = context.make_array(signature.args[index])(context, builder, arguments[index])
            return array.data if position is None else builder.gep(array.data, [position])

        def constant(index: int) -> Lanes:
            place = ir.Constant(ir.IntType(64), index)
            return _splat(builder, builder.load(builder.gep(data(6), [place])), width)

        def lanes_at(pointer: Any) -> Lanes:
            return Lanes(builder, _block(builder, pointer, width))

        position = arguments[10]
        if sums.dtype == types.int32:
            numbers = _block(builder, data(2), width, ir.IntType(32))
            current = Lanes(builder, builder.sitofp(numbers, ir.VectorType(FLOAT, width)))
            current = current * lanes_at(data(3, arguments[5]))
        else:
            current = lanes_at(data(2))
        for _ in range(order):
            pointer = data(7, position)
            current = lanes_at(pointer) * constant(0) + current * constant(1)
            _put(builder, current.value, pointer)
            position = builder.add(position, arguments[11])
        current = current + lanes_at(data(4, arguments[5]))

        potential_at, refractory_at = data(8, arguments[10]), data(9, arguments[10])
        potential, refractory = lanes_at(potential_at), lanes_at(refractory_at)
        dt = constant(4)
        x = (dt - refractory).at_least(0).at_most(dt) * constant(2)
        growth = x * (1 / 7) + 1
        for divisor in (6, 5, 4, 3, 2):
            growth = growth * x * (1 / divisor) + 1
        growth = growth * x
        potential = (potential - (current - potential) * growth).at_least(0)
        excess = potential - 1
        fired = excess > 0
        z = (excess / ((current - 1) * 2 - excess)).at_most(constant(6))
        square = z * z
        series = ((square * (1 / 9) + 1 / 7) * square + 1 / 5) * square + 1 / 3
        overshoot = (series * square * z + z) * constant(5)
        _put(
            builder, (constant(3) - overshoot).select(fired, refractory - dt).value, refractory_at
        )
        silent = Lanes(builder, ir.Constant(potential.value.type, [0.0] * width))
        _put(builder, silent.select(fired, potential).value, potential_at)
        mask = builder.bitcast(fired, ir.IntType(width))
        return builder.zext(mask, ir.IntType(64)) if width < 64 else mask

    arrays = (constants, filters, potentials, refractories)
    count = types.intp
    return types.uint64(lanes, orders, sums, scales, bias, count, *arrays, count, count), generate


@intrinsic
def lowest_bit(typing: Any, mask: Any) -> Any:
    """Position of the lowest bit of `mask` that is set; it must not be 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


@intrinsic
def count_bits(typing: Any, mask: Any) -> Any:
    """Number of bits of `mask` that are set."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate
