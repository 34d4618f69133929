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


"""Tens of thousands of odd and damaged frames end no process and take no memory for good."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import fuzzed_frames
import pytest

GROWTH = 30.0
"""MB: what the allocators of the libraries take before they reuse it. A leak of one small frame
in a hundred would be more."""


@pytest.mark.parametrize(
    'count', [2_000, pytest.param(50_000, marks=pytest.mark.slow)], ids='{:,}'.format
)
def test_every_frame_is_pixels_or_a_value_error(count: int) -> None:
    """In a process of its own, as a fault in a decoder ends it."""
    program = Path(fuzzed_frames.__file__)
    # Others are as good; these can be tried again.
    done = subprocess.run(
        [sys.executable, '-W', 'error::RuntimeWarning', str(program), '20261126', str(count)],
        capture_output=True,
        text=True,
        errors='replace',
    )
    assert done.returncode == 0, done.stderr[-2000:]
    read, growth = done.stdout.split()
    # Both what is read and what is refused is tried.
    assert 0.3 * count < int(read) < 0.9 * count
    assert float(growth) < GROWTH
