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

"""What decides how a stage of training comes out; by it a checkpoint knows its own run.

The number of threads and of processes, the precision that a processor chooses and the version of
PyTorch change the last digits of a result, too. They are left out, so that a run may go on
elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from snn_perception.datasets import Dataset
from snn_perception.datasets.event_set import EventSet
from snn_perception.layers import Layer
from snn_perception.model import Weights
from snn_perception.model_file import layer_to_mapping
from snn_perception.training.initialisation import Initialisation
from snn_perception.training.recipe import Recipe

Digests = dict[str, str]
"""What something is made of, by its parts: a name of each and a digest of its content."""
Fingerprint = dict[str, dict[str, Any]]
"""Values of JSON by name, in the groups of `GROUPS`."""

GROUPS = {'recipe': 'another recipe', 'data': 'other data', 'start': 'another start'}
"""What a checkpoint is of if a group differs."""
DOCUMENTS = ('name', 'description', 'data', 'intended_use', 'limits')
AFTERWARDS = (*DOCUMENTS, 'readout', 'dt', 'accuracy_cost')
"""Sections of a recipe that say nothing about training: they may change in between."""
SPIKES_ONLY = ('fine_tuning', 'synapse', 'readout_synapse', 'rate_scales')


def fingerprint(recipe: Recipe, data: Digests, start: Digests, on_spikes: bool) -> Fingerprint:
    """What a checkpoint must agree on with the run that resumes it.

    `data` are the digests of the images, see `of_data`, `start` those of all weights that the
    stage begins with or learns from, unless the recipe's seed makes them; `on_spikes` whether
    the stage trains on spikes after another one.
    """
    excluded = AFTERWARDS if on_spikes or recipe.base else AFTERWARDS + SPIKES_ONLY
    sections = {key: value for key, value in asdict(recipe).items() if key not in excluded}
    sections['neuron'] = recipe.neuron.mapping
    if not on_spikes and not recipe.base:
        for name in ('initial_potential', 'phases'):
            sections['neuron'].pop(name, None)
    sections['layers'] = [_fields(layer) for layer in recipe.layers]
    if recipe.firing_window:
        sections['dt'] = recipe.dt
    else:
        del sections['firing_window']
    # What has not always been there, and is not used, changes nothing.
    if not recipe.rate_scales:
        sections.pop('rate_scales', None)
    if recipe.initialisation == Initialisation():
        del sections['initialisation']
    if not recipe.augmentation.camera.share:
        del sections['augmentation']['camera']
    if not recipe.hears_events:
        del sections['event_augmentation']
    elif not on_spikes:
        sections['presentation_time'] = recipe.readout.presentation_time
    if recipe.hears_events and not recipe.event_augmentation.beginnings:
        del sections['event_augmentation']['beginnings']
    # The recordings that it makes are data.
    del sections['simulation']
    if recipe.fine_tuning is not None and recipe.fine_tuning.parts == 1:
        sections.get('fine_tuning', {}).pop('parts', None)
    # What it is called or where it lies is no matter; its weights are in `start`.
    sections['base'] = bool(recipe.base)
    sections['stage'] = 'fine_tuning' if on_spikes else 'optimisation'
    return of_run(sections, data, start)


def of_run(sections: dict[str, Any], data: Digests, start: Digests) -> Fingerprint:
    """The same for any run, of which `sections` say everything that a recipe does."""
    groups = {'recipe': _flat(sections), 'data': data, 'start': start}
    return json.loads(json.dumps(groups, default=str))


def difference(theirs: Fingerprint, ours: Fingerprint) -> str:
    """What a checkpoint with the fingerprint `theirs` is of, in words; empty if they agree."""
    found = []
    for group, words in GROUPS.items():
        other, own = theirs.get(group, {}), ours[group]
        names = [
            name
            for name in dict.fromkeys((*own, *other))
            if name not in own or name not in other or other[name] != own[name]
        ]
        if names:
            found.append(f'{words} ({", ".join(names)})')
    return ' and '.join(found)


def _fields(layer: Layer) -> dict[str, Any]:
    """What `layer` is; its fields tell its type.

    So checkpoints of chains from before there were other networks are still those of their run.
    """
    mapping = layer_to_mapping(layer)
    del mapping['type']
    return mapping


def of_data(training: Dataset | EventSet, validation: Dataset | EventSet) -> Digests:
    """Digests of everything in the two parts of a data set.

    Pixels are digested at about a gigabyte a second, so those of MNIST in some 50 ms.
    """
    return {
        'training images': _digest(*_content(training)),
        'training labels': _digest(training.labels),
        'validation images': _digest(*_content(validation)),
        'validation labels': _digest(validation.labels),
        'class names': _digest(np.array(training.class_names)),
    }


def _content(dataset: Dataset | EventSet) -> tuple[NDArray[Any], ...]:
    """What there is to learn from in `dataset`."""
    if isinstance(dataset, EventSet):
        return dataset.t, dataset.x, dataset.y, dataset.polarity, dataset.bounds
    return (dataset.images,)


def of_weights(weights: tuple[Weights, ...]) -> str:
    """Digest of the weights of a model."""
    return _digest(*(values for layer in weights for values in (*layer.kernels, layer.bias)))


def of_module(module: nn.Module) -> str:
    """Digest of the parameters and statistics of `module`."""
    return _digest(*(value.cpu().numpy() for value in module.state_dict().values()))


def in_one(digests: Digests) -> str:
    """One digest for all of `digests`."""
    return _digest(np.array(sorted(digests.items())))


def _digest(*arrays: NDArray[Any]) -> str:
    """Digest of types, shapes and values of `arrays`."""
    whole = hashlib.blake2b(digest_size=16)
    for array in arrays:
        whole.update(f'{array.dtype.str}{array.shape}'.encode())
        whole.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return whole.hexdigest()


def _flat(sections: dict[str, Any]) -> dict[str, Any]:
    """`sections` with the entries of each on their own, as in 'optimisation.epochs'."""
    entries: dict[str, Any] = {}
    for name, value in sections.items():
        if isinstance(value, dict):
            entries |= {f'{name}.{key}': entry for key, entry in value.items()}
        else:
            entries[name] = value
    return entries
