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

"""Nodes of files with trained networks, what became of them, and what is said of those refused."""

from __future__ import annotations

from dataclasses import dataclass

from snn_perception.sentences import shown


class ConversionError(ValueError):
    """A file that cannot be converted; the message is one sentence with what would help."""


@dataclass(frozen=True)
class Node:
    """An operation in a file: its place among them, from 0, its name and its operator."""

    number: int
    name: str
    operator: str

    def __str__(self) -> str:
        called = f' {shown(self.name)}' if self.name else ''
        return f'node {self.number}{called} ({self.operator})'


@dataclass(frozen=True)
class Fate:
    """What became of a node of the file: `outcome` names the layers that it went into."""

    number: int
    name: str
    operator: str
    outcome: str


_MAXIMUM = (
    'spikes cannot choose a maximum: replace it by average pooling or a strided convolution and '
    'train again'
)
CURVED = (
    'the rate of a neuron can stand for a ReLU only: replace it by ReLU or ReLU6 and train again'
)
GATE = 'squeeze-and-excite and attention cannot be spiked: leave it out and train again'
_MEMORY = 'only feedforward networks can be converted: replace it by convolutions and train again'
_BRANCHES = 'branches can only be added: replace it by a sum and train again'
_SIZE = 'maps can only be made smaller: replace it by strided convolutions and train again'
_NORMALISATION = (
    'its factor depends on the image: replace it by batch normalisation and train again'
)

ADVICE = {
    **dict.fromkeys(('maxpool', 'maxpool2d', 'globalmaxpool', 'reducemax', 'lppool'), _MAXIMUM),
    **dict.fromkeys(('l2pool2d', 'maxroipool', 'globallppool', 'max', 'maximum'), _MAXIMUM),
    **dict.fromkeys(
        (
            *('sigmoid', 'logistic', 'hardsigmoid', 'hardswish', 'swish', 'mish', 'tanh', 'elu'),
            *('gelu', 'leakyrelu', 'prelu', 'selu', 'celu', 'softplus', 'softsign', 'exp', 'erf'),
            *('thresholdedrelu', 'relun1to1', 'relu0to1', 'abs', 'pow', 'sqrt', 'log', 'square'),
        ),
        CURVED,
    ),
    **dict.fromkeys(('attention', 'multiheadattention', 'batchmatmul', 'einsum'), GATE),
    **dict.fromkeys(
        (
            *('lstm', 'gru', 'rnn', 'loop', 'scan', 'if', 'while', 'svdf', 'call'),
            *('unidirectionalsequencelstm', 'bidirectionalsequencelstm'),
            *('unidirectionalsequencernn', 'bidirectionalsequencernn'),
        ),
        _MEMORY,
    ),
    **dict.fromkeys(('concat', 'concatenation', 'split', 'splitv'), _BRANCHES),
    **dict.fromkeys(
        (
            *('resize', 'upsample', 'convtranspose', 'transposeconv', 'depthtospace'),
            *('resizebilinear', 'resizenearestneighbor'),
        ),
        _SIZE,
    ),
    **dict.fromkeys(
        (
            *('layernormalization', 'instancenormalization', 'groupnormalization', 'lrn'),
            *('localresponsenormalization', 'l2normalization', 'lpnormalization'),
        ),
        _NORMALISATION,
    ),
}
"""What to do about operators that cannot be read, by their names in small letters alone."""

UNKNOWN = (
    'this operator is not read: replace it by convolutions, ReLU, sums, average pooling and dense '
    'layers and train again'
)
OTHERS = (
    'only the standard operators of ONNX are read: export it with these, and quantised networks '
    'in the format QDQ'
)


def advice(operator: str) -> str:
    """What to do about a node of an `operator` that is not read."""
    if '.' in operator:
        return OTHERS
    return ADVICE.get(operator.lower().replace('_', ''), UNKNOWN)
