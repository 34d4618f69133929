"""From a NIR file to a model: exactly what was exported here, or as much of a foreign one as fits.

What other libraries write says nothing of images, classes and decisions. There the defaults are:
labels '0', '1', ...; an input from 0 (black) to 1 (white) of the part of the image that has the
right aspect; a time step as `step_of` finds it; and a presentation of 100 steps without an early
decision. The model can be saved as a folder, to change them in its model.yaml.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from snn_perception.images import Preprocessing
from snn_perception.interchange.nir_arrays import image_shape, numbers, uniform
from snn_perception.interchange.nir_files import read_graph
from snn_perception.interchange.nir_layers import LayerBuilder
from snn_perception.interchange.nir_writing import KEY
from snn_perception.interchange.timing import Timing
from snn_perception.model import Model, Weights, assemble
from snn_perception.model_file import ModelError, ModelFile, description_from
from snn_perception.network import Network
from snn_perception.neurons import IF, LIF
from snn_perception.readout import Readout
from snn_perception.yaml_files import MAXIMUM_YAML_BYTES

USUAL_STEP = 0.001
"""Time step (s) of our models and of Norse."""
SHORTEST_STEP, LONGEST_STEP = 1e-6, 0.01
"""Between these a time (s) may be a step that shows in a file."""
PRESENTATION_STEPS = 100


@dataclass(frozen=True)
class _Metadata:
    """What an export of ours says beside the graph."""

    step: float
    description: ModelFile


def read_model(path: Path, step: float | None = None, use_metadata: bool = True) -> Model:
    """The model in the NIR file `path`, with what our metadata say of it if there are any.

    Without them the file is read for a library with the time step `step` (s; 0: continuous time,
    None: see `step_of`). Raises ModelError with one sentence for a file that is damaged, too
    large, or of a network that cannot be run here.
    """
    graph = read_graph(path)
    try:
        nodes = _chain(graph)
        ours = _metadata(graph) if use_metadata else None
        timing = Timing(ours.step if ours else step_of(nodes) if step is None else step)
        dt = timing.step or USUAL_STEP
        builder = LayerBuilder(timing, *_image_shape(nodes))
        for name, node in list(nodes.items())[1:-1]:
            builder.add(name, node)
        network, weights = builder.network(PRESENTATION_STEPS * dt)
        if ours:
            return _restored(ours.description, network, weights)
        return _with_defaults(path.stem, network, weights, dt)
    except ValueError as reason:
        raise ModelError(f'{path}: {reason}') from None


def step_of(nodes: dict[str, Any]) -> float:
    """The time step (s) of the library that wrote these nodes, as far as they show it.

    snnTorch gives its neurons r = tau / step, and our export its CubaLIF; where all of a file
    agree, that is the step. Otherwise it is taken to be USUAL_STEP.
    """
    kinds = {type(node).__name__ for node in nodes.values()}
    kind, tau = ('CubaLIF', 'tau_mem') if 'CubaLIF' in kinds else ('LIF', 'tau')
    steps = set()
    for node in nodes.values():
        if type(node).__name__ == kind:
            r = numbers(node, 'r').flat[0]
            steps.add(USUAL_STEP if r in (0, 1) else float(f'{uniform(node, tau) / r:.4g}'))
    step = steps.pop() if len(steps) == 1 else USUAL_STEP
    return step if SHORTEST_STEP <= step <= LONGEST_STEP else USUAL_STEP


def _chain(graph: Any) -> dict[str, Any]:
    """The nodes from Input to Output, which must be a chain of all there are."""
    following: dict[str, str] = {}
    targets: set[str] = set()
    for source, target in graph.edges:
        for name in (source, target):
            if name not in graph.nodes:
                raise ModelError(
                    f'an edge leads from {source!r} to {target!r}, one of which is not there'
                )
        if source in following or target in targets:
            name = source if source in following else target
            raise ModelError(
                f'node {name!r} has more than one edge in or out; graphs that branch or run in '
                f'circles cannot be run here'
            )
        following[source] = target
        targets.add(target)
    inputs = [name for name, node in graph.nodes.items() if type(node).__name__ == 'Input']
    if len(inputs) != 1:
        raise ModelError(f'a graph must have one Input, not {len(inputs)}')
    names = inputs
    while names[-1] in following and len(names) <= len(graph.nodes):
        names.append(following[names[-1]])
    left = set(graph.nodes) - set(names)
    if left:
        raise ModelError(f'node {min(left)!r} is not connected with the Input')
    nodes = {name: graph.nodes[name] for name in names}
    last = type(graph.nodes[names[-1]]).__name__
    if len(names) > len(nodes) or last != 'Output':
        raise ModelError(f'its chain of nodes ends with {names[-1]!r} of type {last}, not Output')
    return nodes


def _image_shape(nodes: dict[str, Any]) -> tuple[tuple[int, int, int], bool]:
    name, node = next(iter(nodes.items()))
    try:
        return image_shape(node)
    except ValueError as reason:
        raise ModelError(f'node {name!r} of type Input: {reason}') from None


def _metadata(graph: Any) -> _Metadata | None:
    """What our export wrote into the metadata of `graph`, if it did; raises ModelError."""
    text = graph.metadata.get(KEY)
    if text is None:
        return None
    where = f'its metadata {KEY!r}'
    content = _mapping(text, where)
    step = content.get('step')
    if isinstance(step, bool) or not isinstance(step, int | float):
        raise ModelError(f'{where}: step must be a time in s, not {step!r}')
    return _Metadata(step, description_from(_mapping(content.get('model'), where), where))


def _mapping(text: Any, where: str) -> dict[str, Any]:
    """The mapping of the YAML `text`; raises ModelError."""
    if not isinstance(text, str) or len(text) > MAXIMUM_YAML_BYTES:
        raise ModelError(f'{where} must be text of at most {MAXIMUM_YAML_BYTES} letters')
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as reason:
        raise ModelError(f'{where} is not valid YAML: {" ".join(str(reason).split())}') from None
    if not isinstance(content, dict):
        raise ModelError(f'{where} must hold a mapping of names to values')
    return content


def _restored(description: ModelFile, network: Network, weights: tuple[Weights, ...]) -> Model:
    """The model of `description` with `weights`, if `network` is what NIR says of it."""
    described = description.network()
    if not _agree(described, network):
        raise ModelError(
            f'its metadata {KEY!r} describe another network than its nodes make; '
            f'without them it can be read as a file of another library'
        )
    return assemble(description, weights)


def _agree(described: Network, network: Network) -> bool:
    """Whether `network` is what NIR can say of the one `described`."""
    if described.input_shape != network.input_shape or described.layers != network.layers:
        return False
    indices = range(len(network.stages))
    synapses = [(described.synapse_of(i), network.synapse_of(i)) for i in indices]
    if not all(
        one.type == other.type and math.isclose(one.tau, other.tau, rel_tol=1e-3)
        for one, other in synapses
    ):
        return False
    one, other = described.neuron, network.neuron
    return network.neurons == 0 or (
        isinstance(one, LIF | IF)
        and isinstance(other, LIF | IF)
        and type(one) is type(other)
        and math.isclose(one.tau_rc, other.tau_rc, rel_tol=1e-3)
    )


def _with_defaults(name: str, network: Network, weights: tuple[Weights, ...], dt: float) -> Model:
    """A model of which only the network is known."""
    return Model(
        name,
        tuple(str(index) for index in range(network.classes)),
        network,
        weights,
        Preprocessing(network.input_shape),
        Readout(presentation_time=PRESENTATION_STEPS * dt),
        dt,
        'Read from a file of NIR',
    )
