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

"""Small TFLite files for the tests, made with the bindings of their flatbuffers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
import tflite

TYPES = {
    'float32': 'FLOAT32',
    'float16': 'FLOAT16',
    'uint8': 'UINT8',
    'int8': 'INT8',
    'int32': 'INT32',
}
SAME, VALID = 0, 1
NONE, RELU, RELU6 = 0, 1, 3


@dataclass
class Tensor:
    """An array of a file: `values` of a constant, `scale` and `zero_point` of a quantised one."""

    name: str
    shape: tuple[int, ...]
    type: str = 'FLOAT32'
    values: np.ndarray | None = None
    scale: tuple[float, ...] = ()
    zero_point: tuple[int, ...] = ()
    axis: int = 0
    signature: tuple[int, ...] = ()


@dataclass
class Operator:
    """An operator of a file; `options` are fields of the table `kind`."""

    operator: str
    inputs: list[int]
    outputs: list[int]
    kind: str
    options: dict[str, Any]


class TfliteNetwork:
    """Operators in a row, for images of `shape` (height, width, channels).

    `add` returns the number of the tensor that an operator gives, for later ones to read; arrays
    become constants.
    """

    def __init__(self, shape: tuple[int, int, int] = (8, 8, 3), **image: Any) -> None:
        self.tensors = [Tensor('image', (1, *shape), **image)]
        self.operators: list[Operator] = []
        self.inputs, self.outputs = [0], [0]
        self.version, self.identifier = 3, b'TFL3'

    def tensor(self, name: str, shape: tuple[int, ...], **rest: Any) -> int:
        """The number of a new tensor."""
        self.tensors.append(Tensor(name, shape, **rest))
        return len(self.tensors) - 1

    def constant(self, values: np.ndarray, **rest: Any) -> int:
        """The number of a new tensor with `values`."""
        name = f'constant{len(self.tensors)}'
        return self.tensor(
            name, values.shape, type=TYPES[values.dtype.name], values=values, **rest
        )

    def add(
        self,
        operator: str,
        inputs: list[int | np.ndarray],
        shape: tuple[int, ...],
        kind: str = '',
        output: dict[str, Any] | None = None,
        **options: Any,
    ) -> int:
        """Append an operator that gives an array of `shape`, a tensor with the fields `output`."""
        numbers = [
            self.constant(each) if isinstance(each, np.ndarray) else each for each in inputs
        ]
        number = self.tensor(f'value{len(self.operators)}', shape, **(output or {}))
        self.operators.append(Operator(operator, numbers, [number], kind, options))
        self.outputs = [number]
        return number

    def convolution(
        self,
        source: int,
        weights: np.ndarray | int,
        bias: np.ndarray | int,
        shape: tuple[int, ...],
        **options: Any,
    ) -> int:
        """Append a convolution, depthwise if `depthwise` is among the options."""
        depthwise = options.pop('depthwise', False)
        kind = 'DepthwiseConv2DOptions' if depthwise else 'Conv2DOptions'
        stride = options.pop('stride', 1)
        return self.add(
            'DEPTHWISE_CONV_2D' if depthwise else 'CONV_2D',
            [source, weights, bias],
            (1, *shape),
            kind,
            **{'StrideH': stride, 'StrideW': stride, 'Padding': VALID} | options,
        )

    def content(self) -> bytes:
        """The bytes of the file."""
        builder = flatbuffers.Builder(1 << 12)
        names = sorted({each.operator for each in self.operators})
        buffers = [self._buffer(builder, None)]
        tensors = []
        for tensor in self.tensors:
            index = 0
            if tensor.values is not None:
                buffers.append(self._buffer(builder, tensor.values))
                index = len(buffers) - 1
            tensors.append(self._tensor(builder, tensor, index))
        operators = [self._operator(builder, each, names) for each in self.operators]
        codes = [self._code(builder, name) for name in names]
        fields = {
            'Tensors': _offsets(builder, tensors),
            'Inputs': builder.CreateNumpyVector(np.array(self.inputs, np.int32)),
            'Outputs': builder.CreateNumpyVector(np.array(self.outputs, np.int32)),
            'Operators': _offsets(builder, operators),
        }
        graph = _table(builder, 'SubGraph', fields)
        fields = {
            'Version': self.version,
            'OperatorCodes': _offsets(builder, codes),
            'Subgraphs': _offsets(builder, [graph]),
            'Buffers': _offsets(builder, buffers),
        }
        builder.Finish(_table(builder, 'Model', fields), file_identifier=self.identifier)
        return bytes(builder.Output())

    def _buffer(self, builder: flatbuffers.Builder, values: np.ndarray | None) -> int:
        fields = {}
        if values is not None:
            data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
            fields['Data'] = builder.CreateNumpyVector(data)
        return _table(builder, 'Buffer', fields)

    def _tensor(self, builder: flatbuffers.Builder, tensor: Tensor, buffer: int) -> int:
        fields: dict[str, Any] = {
            'Shape': builder.CreateNumpyVector(np.array(tensor.shape, np.int32)),
            'Name': builder.CreateString(tensor.name),
            'Type': getattr(tflite.TensorType, tensor.type),
            'Buffer': buffer,
        }
        if tensor.signature:
            signature = np.array(tensor.signature, np.int32)
            fields['ShapeSignature'] = builder.CreateNumpyVector(signature)
        if tensor.scale:
            quantisation = {
                'Scale': builder.CreateNumpyVector(np.array(tensor.scale, np.float32)),
                'ZeroPoint': builder.CreateNumpyVector(np.array(tensor.zero_point, np.int64)),
                'QuantizedDimension': tensor.axis,
            }
            fields['Quantization'] = _table(builder, 'QuantizationParameters', quantisation)
        return _table(builder, 'Tensor', fields)

    def _operator(self, builder: flatbuffers.Builder, operator: Operator, names: list[str]) -> int:
        fields = {
            'OpcodeIndex': names.index(operator.operator),
            'Inputs': builder.CreateNumpyVector(np.array(operator.inputs, np.int32)),
            'Outputs': builder.CreateNumpyVector(np.array(operator.outputs, np.int32)),
        }
        if operator.kind:
            fields['BuiltinOptionsType'] = getattr(tflite.BuiltinOptions, operator.kind)
            fields['BuiltinOptions'] = _table(builder, operator.kind, operator.options)
        return _table(builder, 'Operator', fields)

    def _code(self, builder: flatbuffers.Builder, name: str) -> int:
        number = getattr(tflite.BuiltinOperator, name)
        fields = {'DeprecatedBuiltinCode': min(number, 127), 'BuiltinCode': number, 'Version': 1}
        return _table(builder, 'OperatorCode', fields)


def _table(builder: flatbuffers.Builder, kind: str, fields: dict[str, Any]) -> int:
    function: Callable[[str], Any] = lambda name: getattr(tflite, f'{kind}{name}')  # noqa: E731
    function('Start')(builder)
    for name, value in fields.items():
        function(f'Add{name}')(builder, value)
    return int(function('End')(builder))


def _offsets(builder: flatbuffers.Builder, offsets: list[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())
