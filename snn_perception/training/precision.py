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

"""Which numbers training computes with: bfloat16 only where it is faster than float32."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from snn_perception.training import distributed

CPU_INFO = Path('/proc/cpuinfo')
FLAGS = ('amx_bf16', 'avx512_bf16', 'bf16', 'svebf16')
"""What Linux calls the instructions for bfloat16 of x86-64 and, the last two, of Arm."""


@dataclass(frozen=True)
class Precision:
    """Whether to compute in bfloat16 where that is precise enough, and why, in words."""

    is_mixed: bool
    reason: str
    is_slow: bool = False

    @property
    def name(self) -> str:
        """As in a recipe."""
        return 'bfloat16' if self.is_mixed else 'float32'


def choose(wanted: str, device: str) -> Precision:
    """The precision that the recipe's `wanted` (auto, float32 or bfloat16) means on `device`.

    With `auto` it is bfloat16 if all processes have instructions for it.
    """
    if wanted == 'float32':
        return Precision(False, 'the recipe says so')
    places = distributed.gather(bfloat16_of(device))
    where = 'this GPU' if torch.device(device).type == 'cuda' else 'this processor'
    if None in places:
        lack = f'{where} has no instructions for bfloat16'
        if len(places) > 1:
            lack = f'process {places.index(None)} has no instructions for bfloat16'
        if wanted == 'bfloat16':
            return Precision(True, f'the recipe says so, but {lack}', is_slow=True)
        return Precision(False, lack)
    return Precision(True, f'{where} has {places[0]}')


def bfloat16_of(device: str, cpu_info: Path = CPU_INFO) -> str | None:
    """What `device` has for computing in bfloat16; None if it would have to imitate it.

    A processor is looked up in the file `cpu_info`; where there is none, it has nothing.
    """
    if torch.device(device).type == 'cuda':
        has_it = torch.cuda.is_bf16_supported(including_emulation=False)
        return 'instructions for bfloat16' if has_it else None
    try:
        text = cpu_info.read_text(encoding='utf-8', errors='replace')
    except OSError:
        return None
    words = {
        word
        for line in text.splitlines()
        if line.lower().startswith(('flags', 'features'))
        for word in line.split()
    }
    return next((flag for flag in FLAGS if flag in words), None)
