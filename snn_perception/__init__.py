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
