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

"""The sparse engine on other processors than this one: without AVX, and Arm."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TEST = Path(__file__).parent.parent


def run_engine(tmp_path, *arguments, **variables):
    """What portable_engine.py prints, with nothing compiled before."""
    path = os.pathsep.join([str(TEST), os.environ.get('PYTHONPATH', '')])
    environment = {**os.environ, 'NUMBA_CACHE_DIR': str(tmp_path), 'PYTHONPATH': path}
    done = subprocess.run(
        [sys.executable, str(TEST / 'backends' / 'portable_engine.py'), *arguments],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(platform.machine() != 'x86_64', reason='for x86-64 only')
@pytest.mark.parametrize(
    ('processor', 'features', 'registers'),
    [('x86-64', '', 'xmm'), ('haswell', '+avx2,+fma', 'xmm ymm')],
)
def test_it_spikes_alike_with_and_without_avx(tmp_path, processor, features, registers):
    variables = {'NUMBA_CPU_NAME': processor, 'NUMBA_CPU_FEATURES': features}
    assert run_engine(tmp_path, **variables).strip() == registers


def test_it_compiles_to_vectors_of_arm(tmp_path):
    # What has been optimised for this processor would not do for another.
    code = run_engine(tmp_path, 'aarch64-unknown-linux-gnu', 'cortex-a72', NUMBA_OPT='0')
    assert 'run_network' in code
    assert code.count('fmla\tv') > 50
