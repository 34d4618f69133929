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

"""LLVM's vectors for code that is built in Python: operators for arithmetic, loads and stores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir

FLOAT = ir.FloatType()
BYTE = ir.IntType(8)
SHORT = ir.IntType(16)
WHOLE = ir.IntType(32)
LONG = ir.IntType(64)


class Lanes:
    """A vector of float32 in the code being built, with operators for arithmetic."""

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

    def __rsub__(self, other: float) -> Lanes:
        return Lanes(self.builder, self._operand(other)) - self

    def __abs__(self) -> Lanes:
        return self._from_bits(self.builder.and_(self._bits(), self._whole(0x7FFFFFFF)))

    def __gt__(self, other: Lanes | float) -> Any:
        return self.builder.fcmp_ordered('>', self.value, self._operand(other))

    def select(self, condition: Any, other: Lanes | float) -> Lanes:
        """This vector where `condition` holds, `other` elsewhere."""
        value = self.builder.select(condition, self.value, self._operand(other))
        return Lanes(self.builder, value)

    def unless(self, condition: Any, other: Lanes | float) -> Lanes:
        """This vector, but `other` where `condition` holds."""
        value = self.builder.select(condition, self._operand(other), self.value)
        return Lanes(self.builder, value)

    def at_least(self, other: Lanes | float) -> Lanes:
        """The larger of the two."""
        return self.select(self > other, other)

    def at_most(self, other: Lanes | float) -> Lanes:
        """The smaller of the two."""
        return Lanes(self.builder, self._operand(other)).select(self > other, self)

    def differs_in_sign(self, other: Lanes) -> Any:
        """Where one of the two is negative and the other is not; -0 counts as negative."""
        bits = self.builder.xor(self._bits(), other._bits())
        return self.builder.icmp_signed('<', bits, ir.Constant(bits.type, None))

    def polynomial(self, coefficients: Sequence[Lanes | float]) -> Lanes:
        """The polynomial in this vector that has these coefficients, the constant one first."""
        *lower, last = coefficients
        total = Lanes(self.builder, self._operand(last))
        for coefficient in reversed(lower):
            total = total * self + coefficient
        return total

    def rough_reciprocal(self) -> Lanes:
        """1 / x for positive x with an error of at most 12 %, by the bits of x alone."""
        return self._from_bits(self.builder.sub(self._whole(0x7EF311C7), self._bits()))

    def reciprocal(self) -> Lanes:
        """1 / x for positive x, up to rounding.

        Processors that have an estimate of it, as x86 ones do, take that and a step of Newton's
        method, in a fraction of the time of a division.
        """
        return Lanes(
            self.builder, self.builder.fdiv(self._operand(1), self.value, flags=('arcp',))
        )

    def near_reciprocal_root(self) -> Lanes:
        """1 / sqrt(x) for positive x with an error of at most 0.2 %.

        One step of Newton's method on a guess by the bits of x.
        """
        half = self.builder.lshr(self._bits(), self._whole(1))
        guess = self._from_bits(self.builder.sub(self._whole(0x5F375A86), half))
        return guess * (1.5 - self * guess * guess * 0.5)

    def _whole(self, number: int) -> Any:
        whole = ir.VectorType(WHOLE, self.value.type.count)
        return ir.Constant(whole, [number] * whole.count)

    def _bits(self) -> Any:
        return self.builder.bitcast(self.value, ir.VectorType(WHOLE, self.value.type.count))

    def _from_bits(self, bits: Any) -> Lanes:
        return Lanes(self.builder, self.builder.bitcast(bits, self.value.type))


def splat(builder: Any, scalar: Any, width: int) -> Any:
    """A vector with `scalar` in every lane."""
    empty = ir.Constant(ir.VectorType(scalar.type, width), ir.Undefined)
    first = builder.insert_element(empty, scalar, ir.Constant(WHOLE, 0))
    return builder.shuffle_vector(
        first, empty, ir.Constant(ir.VectorType(WHOLE, width), [0] * width)
    )


def load(builder: Any, pointer: Any, width: int, element: Any = FLOAT) -> Any:
    """Load the vector at `pointer`, which need not be aligned."""
    vector = ir.VectorType(element, width)
    return builder.load(builder.bitcast(pointer, vector.as_pointer()), align=1)


def store(builder: Any, value: Any, pointer: Any) -> None:
    """Write the vector `value` to `pointer`, which need not be aligned."""
    builder.store(value, builder.bitcast(pointer, value.type.as_pointer()), align=1)
