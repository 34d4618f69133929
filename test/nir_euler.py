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

"""The equations of NIR in steps of Euler, read off its documentation: what libraries compute.

A spike is 1 for one step. An IF adds r I at every step, as the libraries have it. What several
edges bring to a node is added.
"""

from __future__ import annotations

from graphlib import TopologicalSorter
from itertools import pairwise

import nir
import numpy as np
import torch
import torch.nn.functional as F


def chain(*nodes: nir.NIRNode) -> nir.NIRGraph:
    """A chain of `nodes` as a graph; the first is an Input, and an Output is added at the end.

    Shapes are filled in where all are given, as they must be to write a file.
    """
    named = {f'{index}_{type(node).__name__}': node for index, node in enumerate(nodes)}
    return nir.NIRGraph(named, list(pairwise(named)))


def run(graph: nir.NIRGraph, image: np.ndarray, steps: int, step: float) -> np.ndarray:
    """What `graph` puts out, (steps, values), while `image` (channels first) is shown."""
    state: dict[str, dict[str, np.ndarray]] = {name: {} for name in graph.nodes}
    sources = {name: [one for one, other in graph.edges if other == name] for name in graph.nodes}
    (end,) = (name for name, node in graph.nodes.items() if isinstance(node, nir.Output))
    outputs = []
    for _ in range(steps):
        values: dict[str, np.ndarray] = {}
        for name in TopologicalSorter(sources).static_order():
            node = graph.nodes[name]
            arriving = sum(values[source] for source in sources[name])
            if isinstance(node, nir.Input):
                arriving = np.asarray(image, np.float64)
            values[name] = STEPS[type(node)](node, arriving, state[name], step)
        outputs.append(values[end].ravel())
    return np.array(outputs)


def _leak(state, key, target, rate):
    """Move state[key], from 0 on, towards `target`."""
    state[key] = state.get(key, 0.0) + rate * (target - state.get(key, 0.0))
    return state[key]


def _fire(node, state):
    spikes = state['v'] > node.v_threshold
    state['v'] = np.where(spikes, node.v_reset, state['v'])
    return spikes.astype(np.float64)


def _li(node, values, state, step):
    return _leak(state, 'v', node.v_leak + node.r * values, step / node.tau)


def _lif(node, values, state, step):
    state.setdefault('v', node.v_reset + np.zeros_like(values))
    _leak(state, 'v', node.v_leak + node.r * values, step / node.tau)
    return _fire(node, state)


def _cuba_lif(node, values, state, step):
    current = _leak(state, 'i', node.w_in * values, step / node.tau_syn)
    state.setdefault('v', node.v_reset + np.zeros_like(values))
    _leak(state, 'v', node.v_leak + node.r * current, step / node.tau_mem)
    return _fire(node, state)


def _if(node, values, state, step):
    state['v'] = state.get('v', node.v_reset) + node.r * values
    return _fire(node, state)


def _convolve(node, values, state, step):
    padding = node.padding if isinstance(node.padding, str) else tuple(node.padding)
    result = F.conv2d(
        *(torch.from_numpy(np.asarray(x, np.float64)) for x in (values[None], node.weight)),
        torch.from_numpy(np.asarray(node.bias, np.float64)),
        stride=tuple(node.stride),
        padding=padding,
        dilation=tuple(node.dilation),
        groups=int(node.groups),
    )
    return result[0].numpy()


def _pool(node, values, state, step):
    return F.avg_pool2d(torch.from_numpy(values)[None], tuple(node.kernel_size))[0].numpy()


STEPS = {
    nir.Conv2d: _convolve,
    nir.Affine: lambda node, values, state, step: node.weight @ values + node.bias,
    nir.Linear: lambda node, values, state, step: node.weight @ values,
    nir.Scale: lambda node, values, state, step: node.scale * values,
    nir.AvgPool2d: _pool,
    nir.SumPool2d: lambda node, values, state, step: (
        _pool(node, values, state, step) * np.prod(node.kernel_size)
    ),
    nir.Flatten: lambda node, values, state, step: values.ravel(),
    nir.LI: _li,
    nir.LIF: _lif,
    nir.CubaLIF: _cuba_lif,
    nir.IF: _if,
    nir.Input: lambda node, values, state, step: values,
    nir.Output: lambda node, values, state, step: values,
}
"""One step of each type of node: (node, values, its state, step in s) -> values."""
