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

"""From a NIR file to a model: our own exports exactly, files of other libraries where possible.

Files of other libraries say nothing about images, classes and decisions. The defaults for them:
labels '0', '1', ...; input from 0 (black) to 1 (white), cropped to the right aspect ratio, or of
two channels the events of a sensor, off and on, as spikes; the
time step that `step_of` finds; and a presentation of 100 steps without an early decision. To
change these, save the model as a folder and edit its model.yaml.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snn_perception.events.shaping import EventShaping
from snn_perception.images import Preprocessing
from snn_perception.interchange.nir_agreement import restored
from snn_perception.interchange.nir_arrays import image_shape, numbers, uniform
from snn_perception.interchange.nir_files import read_graph
from snn_perception.interchange.nir_graph import wiring
from snn_perception.interchange.nir_layers import GraphBuilder
from snn_perception.interchange.nir_writing import KEY
from snn_perception.interchange.timing import Timing
from snn_perception.model import Model, Weights
from snn_perception.model_file import ModelError, ModelFile, description_from
from snn_perception.model_folder import assemble
from snn_perception.network import Network
from snn_perception.readout import Readout
from snn_perception.sentences import sentence, shown
from snn_perception.yaml_files import MAXIMUM_YAML_BYTES, parse_yaml

USUAL_STEP = 0.001
"""Time step (s) of our models and of Norse."""
SHORTEST_STEP, LONGEST_STEP = 1e-6, 0.01
"""A step (s) derived from a file is believed only between these."""
PRESENTATION_STEPS = 100


@dataclass(frozen=True)
class _Metadata:
    """What our own export says in addition to the graph."""

    step: float
    description: ModelFile


def read_model(path: Path, step: float | None = None, use_metadata: bool = True) -> Model:
    """The model in the NIR file `path`, completed from our own metadata if the file has them.

    Without them the file is read as one for a library with the time step `step` (s; 0:
    continuous time, None: see `step_of`). Raises ModelError with one sentence for a file that is
    damaged or too large, or for a network that cannot be run here.
    """
    graph = read_graph(path)
    try:
        wired = wiring(graph)
        nodes = wired.nodes
        ours = _metadata(graph) if use_metadata else None
        timing = Timing(ours.step if ours else step_of(nodes) if step is None else step)
        dt = timing.step or USUAL_STEP
        builder = GraphBuilder(timing, *_image_shape(nodes), PRESENTATION_STEPS * dt)
        for name, node in nodes.items():
            builder.add(name, node, wired.sources[name])
        network, weights = builder.network(output=list(nodes)[-1])
        if ours:
            weights = restored(ours.description.network(), network, weights)
            return assemble(ours.description, weights)
        return _with_defaults(path.stem, network, weights, dt)
    except ValueError as reason:
        raise ModelError(f'{path}: {sentence(reason)}') from None


def step_of(nodes: dict[str, Any]) -> float:
    """The time step (s) of the library that wrote these nodes, as far as they reveal it.

    snnTorch writes r = tau / step for its neurons, and our export does so for CubaLIF. If all
    neurons of a file agree, that is the step; otherwise it is assumed to be USUAL_STEP.
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


def _image_shape(nodes: dict[str, Any]) -> tuple[tuple[int, int, int], bool]:
    name, node = next(iter(nodes.items()))
    try:
        return image_shape(node)
    except ValueError as reason:
        raise ModelError(f'node {name!r} of type Input: {reason}') from None


def _metadata(graph: Any) -> _Metadata | None:
    """What our export wrote into the metadata of `graph`, if anything; raises ModelError."""
    text = graph.metadata.get(KEY)
    if text is None:
        return None
    where = f'its metadata {KEY!r}'
    content = _mapping(text, where)
    step = content.get('step')
    if isinstance(step, bool) or not isinstance(step, int | float):
        raise ModelError(f'{where}: step must be a time in s, not {shown(step)}')
    return _Metadata(step, description_from(_mapping(content.get('model'), where), where))


def _mapping(text: Any, where: str) -> dict[str, Any]:
    """The mapping in the YAML `text`; raises ModelError."""
    if not isinstance(text, str) or len(text) > MAXIMUM_YAML_BYTES:
        raise ModelError(f'{where} must be text of at most {MAXIMUM_YAML_BYTES} letters')
    return parse_yaml(text, where, ModelError)


def _with_defaults(name: str, network: Network, weights: tuple[Weights, ...], dt: float) -> Model:
    """A model with defaults for everything but its network."""
    shape = network.input_shape
    return Model(
        name,
        tuple(str(index) for index in range(network.classes)),
        network,
        weights,
        EventShaping(shape) if network.hears_events else Preprocessing(shape),
        Readout(presentation_time=PRESENTATION_STEPS * dt),
        dt,
        'Read from a NIR file',
    )
