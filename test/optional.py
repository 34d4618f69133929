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
from importlib.util import find_spec
from types import ModuleType

import pytest

LIBRARIES = (
    *('torch', 'triton', 'nengo', 'nengo_loihi', 'nir', 'nirtorch', 'h5py', 'snntorch'),
    *('brian2', 'scipy', 'pynvml', 'onnx', 'tflite', 'flatbuffers', 'rosbags', 'aedat'),
)
"""What the package or a test can use, and a robot need not have."""

MISSING = tuple(name for name in LIBRARIES if find_spec(name) is None)


def absence(reason: BaseException | None) -> str:
    """The sentence about the missing library that led to `reason`; nothing if none did."""
    while reason is not None:
        if isinstance(reason, ImportError) and any(name in str(reason) for name in MISSING):
            return str(reason)
        reason = reason.__cause__ or reason.__context__
    return ''


def library(name: str) -> ModuleType:
    """The library `name`; skips the test, or its file, where it is missing or does not work.

    pytest.importorskip skips where a library is missing alone, and only pytest 8.2 lets one
    ask for more.
    """
    try:
        return import_module(name)
    except ImportError as reason:
        pytest.skip(f'{name} cannot be used: {reason}', allow_module_level=True)
