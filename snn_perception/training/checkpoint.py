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

"""Saving a training run so that it resumes exactly, in one safetensors file.

Random numbers need no saving: every step draws from a generator seeded by the recipe's seed
and the step's number.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from snn_perception.training.fingerprint import Fingerprint, difference
from snn_perception.training.recipe import RecipeError
from snn_perception.whole_files import written_whole


@dataclass
class Progress:
    """How far a run has come: steps done, and a row of figures per finished epoch."""

    step: int = 0
    seconds: float = 0.0
    loss_sum: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


def save_checkpoint(
    path: Path,
    modules: dict[str, nn.Module],
    optimizers: dict[str, Optimizer],
    progress: Progress,
    run: Fingerprint,
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
    metadata = {'run': json.dumps(run), 'progress': json.dumps(asdict(progress))}
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as unfinished:
        save_file(tensors, unfinished, metadata)


def load_checkpoint(
    path: Path, modules: dict[str, nn.Module], optimizers: dict[str, Optimizer], run: Fingerprint
) -> Progress:
    """Restore what `save_checkpoint` wrote; raises RecipeError for a file of another `run`."""
    try:
        with safe_open(path, framework='pt') as file:
            metadata = file.metadata() or {}
            _check(path, metadata, run)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as reason:
        raise RecipeError(f'{path} is damaged: {reason}; remove it to start over') from None
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


def _check(path: Path, metadata: dict[str, str], run: Fingerprint) -> None:
    """Raise RecipeError unless the `metadata` of `path` are those of a checkpoint of `run`."""
    if 'run' in metadata:
        other = difference(json.loads(metadata['run']), run)
    else:
        other = 'an earlier version, which did not note the data that it was trained on'
    if other:
        raise RecipeError(
            f'{path} is of {other}; remove the folder {path.parent} to start over, or choose '
            f'another output folder'
        )


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)
    }


def random_seed(seed: int, step: int, part: int = 0) -> int:
    """Seed of the random numbers for one part of one step of a run; step -1 is its start."""
    return int(np.random.SeedSequence((seed, step + 1, part)).generate_state(1, np.uint64)[0])
