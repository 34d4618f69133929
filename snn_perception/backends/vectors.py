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
    return builder.load(builder.bitcast(pointer, vector.as_pointer()), align=1, typ=vector)


def _put(builder: Any, value: Any, pointer: Any) -> None:
    builder.store(value, builder.bitcast(pointer, value.type.as_pointer()), align=1)


def _splat(builder: Any, scalar: Any, width: int) -> Lanes:
    """`scalar` in every place of a vector."""
    empty = ir.Constant(ir.VectorType(FLOAT, width), ir.Undefined)
    first = builder.insert_element(empty, scalar, ir.Constant(ir.IntType(32), 0))
    places = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)
    return Lanes(builder, builder.shuffle_vector(first, empty, places))


def _row_of_weights(builder: Any, pointer: Any, kind: Any, width: int) -> Any:
    """A row of float32 or bfloat16 weights as float32."""
    if kind == types.float32:
        return _block(builder, pointer, width)
    bits = _block(builder, pointer, width, ir.IntType(16))
    whole = ir.VectorType(ir.IntType(32), width)
    shifted = builder.shl(builder.zext(bits, whole), ir.Constant(whole, [16] * width))
    return builder.bitcast(shifted, ir.VectorType(FLOAT, width))


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

    The row of an event is its number plus `shift`; weights are float32 or the bits of bfloat16.
    """
    width = lanes.count

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = [
            context.make_array(kind)(context, builder, array).data
            for kind, array in zip(signature.args[1:4], arguments[1:4], strict=True)
        ]
        begin, end, moved = arguments[4:]
        total = cgutils.alloca_once(builder, ir.VectorType(FLOAT, width))
        builder.store(_block(builder, data[0], width), total)
        one = ir.Constant(begin.type, 1)
        with cgutils.for_range_slice(builder, begin, end, one, begin.type, inc=True) as (index, _):
            event = builder.sext(builder.load(builder.gep(data[2], [index])), moved.type)
            position = builder.mul(builder.add(event, moved), ir.Constant(moved.type, width))
            row = _row_of_weights(
                builder, builder.gep(data[1], [position]), signature.args[2].dtype, width
            )
            builder.store(builder.fadd(builder.load(total), row), total)
        _put(builder, builder.load(total), data[0])
        return context.get_dummy_value()

    count = types.intp
    return types.void(lanes, sums, weights, events, count, count, count), generate


@intrinsic
def step_neurons(
    typing: Any,
    lanes: Any,
    orders: Any,
    sums: Any,
    bias: Any,
    bias_at: Any,
    constants: Any,
    filters: Any,
    potentials: Any,
    refractories: Any,
    at: Any,
    stride: Any,
) -> Any:
    """One step of a block of LIF neurons under `sums` (width,); bit i is set where i spiked.

    The block is at `at` in potentials, refractories and filters, in which the next order of
    the synapse is `stride` further on, and at `bias_at` in bias. The length of `orders` is the
    order of the synapse. constants: decay, 1 - decay, -1 / tau_rc, tau_ref, dt, 2 tau_rc and
    the largest z there is. Equations and series: `kernels.integrate`.
    """
    width, order = lanes.count, orders.count

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def data(index: int, position: Any = None) -> Any:
            array = context.make_array(signature.args[index])(context, builder, arguments[index])
            return array.data if position is None else builder.gep(array.data, [position])

        def constant(index: int) -> Lanes:
            place = ir.Constant(ir.IntType(64), index)
            return _splat(builder, builder.load(builder.gep(data(5), [place])), width)

        def lanes_at(pointer: Any) -> Lanes:
            return Lanes(builder, _block(builder, pointer, width))

        position = arguments[9]
        current = lanes_at(data(2))
        for _ in range(order):
            pointer = data(6, position)
            current = lanes_at(pointer) * constant(0) + current * constant(1)
            _put(builder, current.value, pointer)
            position = builder.add(position, arguments[10])
        current = current + lanes_at(data(3, arguments[4]))

        potential_at, refractory_at = data(7, arguments[9]), data(8, arguments[9])
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

    array = (sums, bias, types.intp, constants, filters, potentials, refractories)
    return types.uint64(lanes, orders, *array, types.intp, types.intp), generate


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
