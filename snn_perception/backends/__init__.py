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

"""Engines that run a model, chosen by name: one file each, listed here."""

from __future__ import annotations

from importlib import import_module

from snn_perception.backends import gpu
from snn_perception.backends.base import Simulator
from snn_perception.model import Model
from snn_perception.requirements import MissingLibrary, require

__all__ = ['BACKENDS', 'Simulator', 'choose_backend', 'create_simulator']

# Name -> module and class, imported on use, so that only the engine in use needs its libraries.
BACKENDS = {
    'event': ('snn_perception.backends.event', 'EventSimulator'),
    'torch': ('snn_perception.backends.torch', 'TorchSimulator'),
    'rate': ('snn_perception.backends.rate', 'RateSimulator'),
    'reference': ('snn_perception.backends.reference', 'ReferenceSimulator'),
    'nengo': ('snn_perception.backends.nengo', 'NengoSimulator'),
    'loihi': ('snn_perception.backends.loihi.simulator', 'LoihiSimulator'),
}
LIBRARIES = {
    'event': ('numba',),
    'torch': ('torch', 'numba'),
    'rate': ('torch', 'numba'),
    'reference': (),
    'nengo': ('nengo',),
    'loihi': ('nengo', 'nengo_loihi', 'numba'),
}
"""What each engine needs, apart from what all of the package does."""
DEVICES = ('auto', 'cpu', 'cuda')


def create_simulator(
    model: Model,
    backend: str = 'auto',
    device: str = 'auto',
    *,
    threads: int = 0,
    precision: str = 'auto',
) -> Simulator:
    """`model` on the engine `backend` (a key of BACKENDS, or 'auto') and `device`.

    `threads` (0: the engine decides) and `precision` of the weights ('auto': that of the model,
    float32, bfloat16 or int8) are for engines with these options. Raises ValueError, with a
    sentence, for an unknown backend or device, for a device that is not available, for an option
    that the engine does not have, and if a library that it needs is not installed.
    """
    chosen = choose_backend(backend, device)
    if (backend, device, chosen) == ('auto', 'auto', 'torch'):
        # torch was chosen for the GPU, and only PyTorch knows whether it can use that GPU.
        chosen = 'torch' if _pytorch_uses_gpu() else 'event'
    module, name = BACKENDS[chosen]
    try:
        require(f'backend {chosen}', *LIBRARIES[chosen])
        engine: type[Simulator] = getattr(import_module(module), name)
    except MissingLibrary as reason:
        raise ValueError(str(reason)) from None
    except ImportError as reason:
        raise ValueError(f'backend {backend!r} cannot be used here: {reason}') from reason
    if model.network.firing_window and not engine.takes_turns:
        raise ValueError(
            f'backend {engine.name} runs no network whose layers take turns, and that of model '
            f'{model.name} has a firing_window of {model.network.firing_window} s; use backend '
            f'event or torch'
        )
    options = {
        'threads': threads,
        'precision': model.precision if precision == 'auto' else precision,
    }
    # What any engine does need not be an option of it.
    asked = {'threads': threads != 0, 'precision': precision not in ('auto', 'float32')}
    for option, value in options.items():
        if asked[option] and option not in engine.options:
            raise ValueError(f'backend {engine.name} has no option {option}, given as {value!r}')
    return engine(model, device, **{name: options[name] for name in engine.options})


def choose_backend(backend: str = 'auto', device: str = 'auto') -> str:
    """Name of the engine meant: 'auto' is torch if a GPU can be used, and event otherwise.

    PyTorch is not imported for this. Raises ValueError for an unknown backend or device.
    """
    if backend not in ('auto', *BACKENDS):
        raise ValueError(f'unknown backend {backend!r}; choose from auto, {", ".join(BACKENDS)}')
    if device not in DEVICES:
        raise ValueError(f'unknown device {device!r}; choose from {", ".join(DEVICES)}')
    if backend != 'auto':
        return backend
    on_gpu = device == 'cuda' or (device == 'auto' and gpu.may_be_used())
    return 'torch' if on_gpu else 'event'


def _pytorch_uses_gpu() -> bool:
    try:
        import torch
    except ImportError:
        return False
    return torch.cuda.is_available()
