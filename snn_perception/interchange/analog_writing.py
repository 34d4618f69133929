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

"""Layers and weights of ours for populations that were found in a trained network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from snn_perception.graph import IMAGE
from snn_perception.interchange.analog_signals import Signal, Term
from snn_perception.interchange.analog_values import UNPADDED
from snn_perception.layers import (
    INPUT,
    AveragePooling,
    Convolution,
    Dense,
    GlobalAveragePooling,
    Identity,
    Layer,
    Link,
    Pair,
    Pooling,
    Sum,
)
from snn_perception.model import Weights


def written(signals: list[Signal]) -> tuple[tuple[Layer, ...], tuple[Weights, ...]]:
    """The layers and weights of populations with these currents, of which the last is read out."""
    branches = [[_branch(term) for term in signal.terms] for signal in signals]
    named = {
        term.source
        for index, signal in enumerate(signals)
        for term in signal.terms
        if term.source not in (IMAGE, index - 1)
    }
    layers: list[Layer] = []
    for index, (signal, links) in enumerate(zip(signals, branches, strict=True)):
        name = _name(index) if index in named else ''
        chains = []
        for term, (link, _) in zip(signal.terms, links, strict=True):
            chain: list[Link | Pooling] = [*_pooling(term, signals), link]
            if term.source != index - 1:
                source = INPUT if term.source == IMAGE else _name(term.source)
                chain[0] = replace(chain[0], source=source)
            chains.append(tuple(chain))
        if len(chains) > 1:
            layers.append(Sum(tuple(chains), name=name))
        else:
            *poolings, last = chains[0]
            layers += [*poolings, replace(last, name=name)]
    weights = tuple(
        Weights(tuple(kernel for _, kernel in links if kernel is not None), signal.bias)
        for signal, links in zip(signals, branches, strict=True)
    )
    return tuple(layers), weights


def _name(index: int) -> str:
    return f'layer{index}'


def _pooling(term: Term, signals: list[Signal]) -> list[Pooling]:
    if term.pooling == (1, 1):
        return []
    if term.pooling == signals[term.source].shape[:2]:
        return [GlobalAveragePooling()]
    return [AveragePooling(_shortest(term.pooling))]


def _branch(term: Term) -> tuple[Link, NDArray[np.float32] | None]:
    """The layer of `term` and its weights."""
    if term.kernel is None:
        return Identity(1.0), None
    layer, channels = term.layer, term.layer.channels
    whole = layer.kernel_size == term.inputs[:2] and layer.margins == UNPADDED
    if whole and layer.groups == 1:
        return Dense(channels), np.ascontiguousarray(term.kernel.reshape(-1, channels))
    return _plain(layer), np.ascontiguousarray(term.kernel)


def _plain(layer: Convolution) -> Convolution:
    """`layer`, with one number where rows and columns are the same."""
    (top, bottom), (left, right) = layer.margins
    margins = {top, bottom, left, right}
    padding = margins.pop() if len(margins) == 1 else (top, bottom, left, right)
    kernel, stride = map(_shortest, (layer.kernel_size, layer.strides))
    return Convolution(layer.channels, kernel, stride, padding, layer.groups)


def _shortest(pair: Pair) -> int | Pair:
    """`pair`, or one number where both are the same."""
    return pair[0] if pair[0] == pair[1] else pair
