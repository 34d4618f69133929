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

"""Small ONNX networks for the tests, and what the library onnx itself says that they answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

OPSET = 17

if tuple(map(int, onnx.__version__.split('.')[:2])) < (1, 23):
    pytest.skip('references of onnx before 1.23 pad wrongly', allow_module_level=True)


class OnnxNetwork:
    """Nodes in a row, for images of `shape` (channels, height, width).

    `add` returns the name of what a node gives, for later ones to read; arrays become constants.
    """

    def __init__(self, shape: tuple[int, int, int] = (3, 8, 8), seed: int = 0) -> None:
        self.shape = shape
        self.random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def normal(self, *shape: int) -> np.ndarray:
        """Random weights, smaller the more of them there are for each output."""
        values = self.random.normal(size=shape) / np.sqrt(np.prod(shape[1:]) or 1)
        return values.astype(np.float32)

    def constant(self, values: Any) -> str:
        """The name of an array that is stored in the file."""
        name = f'constant{len(self.constants)}'
        self.constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def add(self, operator: str, *inputs: Any, **attributes: Any) -> str:
        """Append a node."""
        names = [each if isinstance(each, str) else self.constant(each) for each in inputs]
        output = f'value{len(self.nodes)}'
        name = f'{operator.lower()}_{len(self.nodes)}'
        self.nodes.append(helper.make_node(operator, names, [output], name, **attributes))
        return output

    def convolution(
        self, source: str, inputs: int, channels: int, kernel: int = 3, **attributes: Any
    ) -> str:
        """Append a convolution with random weights and biases."""
        shape = channels, inputs // attributes.get('group', 1), kernel, kernel
        return self.add('Conv', source, self.normal(*shape), self.normal(channels), **attributes)

    def normalisation(self, source: str, channels: int) -> str:
        """Append a batch normalisation."""
        numbers = (self.random.uniform(0.5, 1.5, channels).astype(np.float32) for _ in range(2))
        scale, variance = numbers
        bias, mean = self.normal(channels), self.normal(channels)
        return self.add('BatchNormalization', source, scale, bias, mean, variance)

    def head(self, source: str, inputs: int, classes: int = 4) -> str:
        """Append a global average pooling and a dense layer."""
        flat = self.add('Flatten', self.add('GlobalAveragePool', source))
        weights = self.normal(classes, inputs)
        return self.add('Gemm', flat, weights, self.normal(classes), transB=1)

    def model(
        self, output: str, batch: int | str = 'batch', opset: int = OPSET
    ) -> onnx.ModelProto:
        """The network that gives `output`."""
        graph = helper.make_graph(
            self.nodes,
            'network',
            [helper.make_tensor_value_info('image', TensorProto.FLOAT, [batch, *self.shape])],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
            self.constants,
        )
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid('', opset)], ir_version=8
        )

    def images(self, count: int = 3) -> np.ndarray:
        """Random images, float32 (count, channels, height, width)."""
        return self.random.normal(size=(count, *self.shape)).astype(np.float32)


def answers(model: onnx.ModelProto, images: np.ndarray, *values: str) -> list[np.ndarray]:
    """What the reference of onnx gives for the output, or for `values`, in batches of images.

    It goes image by image: the batch of a file may be fixed.
    """
    evaluator = ReferenceEvaluator(model)
    names = values or tuple(each.name for each in model.graph.output)
    single = [evaluator.run(list(names), {'image': image[None]}) for image in images]
    return [np.concatenate(each) for each in zip(*single, strict=True)]
