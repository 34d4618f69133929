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

"""The graph of a NIR file in an order in which every node comes after those that lead to it."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from snn_perception.model_file import ModelError


@dataclass(frozen=True)
class Wiring:
    """`nodes` by name, from the Input to the Output, and the names of the `sources` of each."""

    nodes: dict[str, Any]
    sources: dict[str, list[str]]


def wiring(graph: Any) -> Wiring:
    """The nodes of the nir.NIRGraph `graph` in order; raises ModelError for what is none.

    It must have one Input and one Output, and every node must be on a way from one to the other.
    A graph in the place of a node must be such a graph itself: its nodes, called GRAPH/NODE, take
    its place, and its Input and Output pass on what arrives. Of several orders the first is taken
    in which the edges name the nodes.
    """
    nodes, edges = _inlined(graph)
    sources: dict[str, list[str]] = {name: [] for name in nodes}
    targets: dict[str, list[str]] = {name: [] for name in nodes}
    known = set()
    for source, target in edges:
        if (source, target) in known:
            raise ModelError(f'the edge from {source!r} to {target!r} is there twice')
        known.add((source, target))
        sources[target].append(source)
        targets[source].append(target)
    first, last = _only(graph, 'Input'), _only(graph, 'Output')
    _check_all(nodes, _reached(first, targets), 'is not connected to the Input')
    _check_all(nodes, _reached(last, sources), 'does not lead to the Output')
    names = [name for edge in edges for name in edge]
    return Wiring({name: nodes[name] for name in _in_order(names, sources, targets)}, sources)


def _inlined(graph: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The nodes and edges of `graph`, with those of the graphs within it."""
    nodes: dict[str, Any] = {}
    edges: list[tuple[str, str]] = []
    entries, exits = {}, {}
    ends = _only(graph, 'Input'), _only(graph, 'Output')
    for name, node in graph.nodes.items():
        entries[name] = exits[name] = name
        if type(node).__name__ != 'NIRGraph':
            nodes[name] = node
            continue
        try:
            inner_nodes, inner_edges = _inlined(node)
        except ModelError as reason:
            raise ModelError(f'node {name!r} of type NIRGraph: {reason}') from None
        nodes |= {f'{name}/{inner}': value for inner, value in inner_nodes.items()}
        edges += [(f'{name}/{one}', f'{name}/{other}') for one, other in inner_edges]
        entries[name] = f'{name}/{_only(node, "Input")}'
        exits[name] = f'{name}/{_only(node, "Output")}'
    for source, target in graph.edges:
        if source not in entries or target not in entries:
            raise ModelError(
                f'an edge leads from {source!r} to {target!r}, and one of them does not exist'
            )
        if target == ends[0] or source == ends[1]:
            raise ModelError(
                f'an edge leads from {source!r} to {target!r}, but none can lead into the Input '
                f'or out of the Output'
            )
        edges.append((exits[source], entries[target]))
    return nodes, edges


def _only(graph: Any, kind: str) -> str:
    """The name of the only node of this `kind` in `graph`."""
    names = [name for name, node in graph.nodes.items() if type(node).__name__ == kind]
    if len(names) != 1:
        raise ModelError(f'a graph must have one {kind}, not {len(names)}')
    return str(names[0])


def _reached(start: str, following: dict[str, list[str]]) -> set[str]:
    """The nodes to which ways lead from `start`."""
    reached, waiting = {start}, [start]
    while waiting:
        new = set(following[waiting.pop()]) - reached
        reached |= new
        waiting += new
    return reached


def _check_all(nodes: Iterable[str], found: set[str], fault: str) -> None:
    missing = set(nodes) - found
    if missing:
        raise ModelError(f'node {min(missing)!r} {fault}')


def _in_order(
    names: list[str], sources: dict[str, list[str]], targets: dict[str, list[str]]
) -> list[str]:
    """All nodes, each after its sources, and else in the order of `names`."""
    ranks: dict[str, int] = {}
    for name in names:
        ranks.setdefault(name, len(ranks))
    missing = {name: len(sources[name]) for name in ranks}
    ready = [(ranks[name], name) for name in ranks if not missing[name]]
    heapq.heapify(ready)
    done = []
    while ready:
        _, name = heapq.heappop(ready)
        done.append(name)
        for target in targets[name]:
            missing[target] -= 1
            if not missing[target]:
                heapq.heappush(ready, (ranks[target], target))
    left = set(ranks) - set(done)
    if left:
        raise ModelError(
            f'node {_in_a_circle(left, sources)!r} is part of a circle, and networks that run in '
            f'circles cannot be run here'
        )
    return done


def _in_a_circle(left: set[str], sources: dict[str, list[str]]) -> str:
    """A node of a circle among those `left`, of which each has a source that is left."""
    name, passed = min(left), set()
    while name not in passed:
        passed.add(name)
        name = next(source for source in sources[name] if source in left)
    return name
