"""Saving a training run so that it resumes exactly: one safetensors file, written whole or not.

Random numbers need no saving: every step draws from a generator seeded by the recipe's seed
and the step's number.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from snn_perception.training.recipe import Recipe, RecipeError
from snn_perception.whole_files import written_whole


@dataclass
class Progress:
    """How far a run has come: steps done, and a row of figures per finished epoch."""

    step: int = 0
    seconds: float = 0.0
    loss_sum: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


DOCUMENTS = ('name', 'description', 'data', 'intended_use', 'limits')
AFTERWARDS = (*DOCUMENTS, 'readout', 'dt', 'accuracy_cost')
"""Sections of a recipe that say nothing about training: they may change in between."""
SPIKES_ONLY = ('fine_tuning', 'synapse', 'readout_synapse')


def fingerprint(recipe: Recipe, images: int, on_spikes: bool) -> str:
    """What a checkpoint must agree on with the run that resumes it."""
    excluded = AFTERWARDS if on_spikes or recipe.base else AFTERWARDS + SPIKES_ONLY
    sections = {key: value for key, value in asdict(recipe).items() if key not in excluded}
    sections['neuron'] = recipe.neuron.mapping
    text = json.dumps([sections, images, on_spikes], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def save_checkpoint(
    path: Path,
    modules: dict[str, nn.Module],
    optimizers: dict[str, Optimizer],
    progress: Progress,
    key: str,
) -> None:
    """Write the state of `modules` and `optimizers` to `path`, replacing the old in one go.

    Raises OSError if it cannot be written; the old one stays.
    """
    tensors: dict[str, Tensor] = {}
    for name, module in modules.items():
        tensors |= {f'{name}/{entry}': value for entry, value in module.state_dict().items()}
    for name, optimizer in optimizers.items():
        for index, values in optimizer.state_dict()['state'].items():
            tensors |= {f'{name}/{index}/{entry}': value for entry, value in values.items()}
    tensors = {name: value.contiguous() for name, value in tensors.items()}
    metadata = {'recipe': key, 'progress': json.dumps(asdict(progress))}
    with written_whole(path) as unfinished:
        save_file(tensors, unfinished, metadata)


def load_checkpoint(
    path: Path, modules: dict[str, nn.Module], optimizers: dict[str, Optimizer], key: str
) -> Progress:
    """Restore what `save_checkpoint` wrote; raises RecipeError for a file of another run."""
    try:
        with safe_open(path, framework='pt') as file:
            metadata = file.metadata() or {}
            if metadata.get('recipe') != key:
                raise RecipeError(
                    f'{path} is of another recipe or other data; '
                    f'remove it or choose another output folder'
                )
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as reason:
        raise RecipeError(f'{path} is damaged: {reason}; remove it to start anew') from None
    for name, module in modules.items():
        module.load_state_dict(_below(f'{name}/', tensors))
    for name, optimizer in optimizers.items():
        state: dict[int, dict[str, Any]] = {}
        for place, value in _below(f'{name}/', tensors).items():
            index, entry = place.split('/')
            state.setdefault(int(index), {})[entry] = value
        groups = optimizer.state_dict()['param_groups']
        optimizer.load_state_dict({'state': state, 'param_groups': groups})
    return Progress(**json.loads(metadata['progress']))


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)
    }


def random_seed(seed: int, step: int, part: int = 0) -> int:
    """Seed of the random numbers for one part of one step of a run; step -1 is its start."""
    return int(np.random.SeedSequence((seed, step + 1, part)).generate_state(1, np.uint64)[0])
