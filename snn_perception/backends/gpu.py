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

"""Whether this machine can run a network on a GPU, found out without importing PyTorch.

Only what asks for a GPU that is in use, `name`, imports it.
"""

from __future__ import annotations

import ctypes
from importlib.util import find_spec
from pathlib import Path
from runpy import run_path


def may_be_used() -> bool:
    """Whether there is a GPU for CUDA and a PyTorch that was built for CUDA.

    PyTorch itself may still find that they do not fit together: where it is imported anyway,
    ask `torch.cuda.is_available()`.
    """
    return driver_finds_gpu() and pytorch_is_for_cuda()


def driver_finds_gpu() -> bool:
    """Whether the driver finds a GPU for CUDA."""
    try:
        driver = ctypes.CDLL('libcuda.so.1')
    except OSError:
        return False
    count = ctypes.c_int(0)
    return (
        driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 < count.value
    )


def pytorch_is_for_cuda() -> bool:
    """Whether the installed PyTorch says that it was built for CUDA."""
    found = find_spec('torch')
    if found is None or found.origin is None:
        return False
    try:
        return bool(run_path(str(Path(found.origin).with_name('version.py'))).get('cuda'))
    except OSError:
        return False


def name() -> str:
    """Name of the GPU that PyTorch uses, as its maker calls it."""
    import torch

    return str(torch.cuda.get_device_name())
