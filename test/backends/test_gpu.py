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

"""The engine that `auto` means on machines with and without a GPU, a driver and PyTorch."""

from __future__ import annotations

import sys

import pytest
import torch
from random_models import random_model

from snn_perception.backends import choose_backend, create_simulator, gpu


@pytest.fixture
def driver(monkeypatch):
    """A machine whose NVIDIA driver finds a GPU."""
    monkeypatch.setattr(gpu, 'driver_finds_gpu', lambda: True)


def other_pytorch(monkeypatch, folder, version):
    """Let `import torch` find a package with the module `version`, or none at all."""
    monkeypatch.delitem(sys.modules, 'torch')
    if version is None:
        monkeypatch.setattr(sys, 'path', [str(folder)])
        return
    (folder / 'torch').mkdir()
    (folder / 'torch' / '__init__.py').touch()
    (folder / 'torch' / 'version.py').write_text(version)
    monkeypatch.syspath_prepend(folder)


@pytest.mark.usefixtures('driver')
@pytest.mark.parametrize(
    ('version', 'expected'),
    [("cuda = '13.0'\n", 'torch'), ('cuda = None\n', 'event'), ('', 'event'), (None, 'event')],
    ids=['built for CUDA', 'built for the CPU', 'says nothing', 'not installed'],
)
def test_auto_wants_a_pytorch_that_was_built_for_the_gpu(monkeypatch, tmp_path, version, expected):
    other_pytorch(monkeypatch, tmp_path, version)
    assert choose_backend() == expected
    assert choose_backend('auto', 'cpu') == 'event'
    assert choose_backend('auto', 'cuda') == 'torch'
    assert choose_backend('reference') == 'reference'


@pytest.mark.skipif(torch.cuda.is_available(), reason='there is a GPU')
def test_auto_is_event_where_pytorch_finds_that_it_cannot_use_the_gpu(monkeypatch):
    monkeypatch.setattr(gpu, 'may_be_used', lambda: True)
    assert choose_backend() == 'torch'
    assert create_simulator(random_model()).name == 'event'


@pytest.mark.skipif(torch.version.cuda is not None, reason='PyTorch is built for CUDA')
def test_the_pytorch_that_is_installed_is_asked_without_importing_it():
    assert not gpu.pytorch_is_for_cuda()
