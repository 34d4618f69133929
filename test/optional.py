"""What tests want that need not be installed."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import pytest


def library(name: str) -> ModuleType:
    """The library `name`; skips the test, or its file, where it is missing or does not work.

    pytest.importorskip skips where a library is missing alone, and only pytest 8.2 lets one
    ask for more.
    """
    try:
        return import_module(name)
    except ImportError as reason:
        pytest.skip(f'{name} cannot be used: {reason}', allow_module_level=True)
