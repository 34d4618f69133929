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

"""The graph of a NIR file as a chain of nodes, graphs within it included."""

from __future__ import annotations

from typing import Any

from snn_perception.model_file import ModelError


def chain(graph: Any) -> dict[str, Any]:
    """The nodes of the nir.NIRGraph `graph` from Input to Output, by name.

    They must form one chain that includes every node. A graph in the place of a node must be
    such a chain itself: its nodes, called GRAPH/NODE, take its place, without its Input and
    Output. Raises ModelError.
    """
    nodes: dict[str, Any] = {}
    for name, node in _in_order(graph).items():
        if type(node).__name__ == 'NIRGraph':
            nodes |= _inner(name, node)
        else:
            nodes[name] = node
    return nodes


def _inner(name: str, graph: Any) -> dict[str, Any]:
    """The nodes of `graph`, which is called `name` in another, between its Input and Output."""
    try:
        nodes = list(chain(graph).items())[1:-1]
    except ModelError as reason:
        raise ModelError(f'node {name!r} of type NIRGraph: {reason}') from None
    return {f'{name}/{inner}': node for inner, node in nodes}


def _in_order(graph: Any) -> dict[str, Any]:
    """The nodes of `graph` alone in the order of the chain that they form."""
    following = _successors(graph)
    inputs = [name for name, node in graph.nodes.items() if type(node).__name__ == 'Input']
    if len(inputs) != 1:
        raise ModelError(f'a graph must have one Input, not {len(inputs)}')
    names = inputs
    while names[-1] in following and len(names) <= len(graph.nodes):
        names.append(following[names[-1]])
    left = set(graph.nodes) - set(names)
    if left:
        raise ModelError(f'node {min(left)!r} is not connected to the Input')
    nodes = {name: graph.nodes[name] for name in names}
    last = type(graph.nodes[names[-1]]).__name__
    if len(names) > len(nodes) or last != 'Output':
        raise ModelError(f'its chain of nodes ends with {names[-1]!r} of type {last}, not Output')
    return nodes


def _successors(graph: Any) -> dict[str, str]:
    """The node that each node of `graph` leads to."""
    following: dict[str, str] = {}
    targets: set[str] = set()
    for source, target in graph.edges:
        for name in (source, target):
            if name not in graph.nodes:
                raise ModelError(
                    f'an edge leads from {source!r} to {target!r}, and one of them does not exist'
                )
        if source in following or target in targets:
            name = source if source in following else target
            raise ModelError(
                f'node {name!r} has more than one edge in or out; graphs that branch or run in '
                f'circles cannot be run here'
            )
        following[source] = target
        targets.add(target)
    return following
