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

"""Spiking neural networks for robots: pretrained soft-LIF networks that run on spikes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snn_perception.backends import create_simulator
    from snn_perception.loading import load_model

__all__ = ['create_simulator', 'load_model']

_HOMES = {'create_simulator': 'snn_perception.backends', 'load_model': 'snn_perception.loading'}


def __getattr__(name: str) -> Any:
    """Import on first use, so that `import snn_perception` itself stays cheap."""
    if name not in _HOMES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
