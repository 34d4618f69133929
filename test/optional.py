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
