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

"""Mixed precision where a processor has instructions for it; what Linux says of four of them."""

from __future__ import annotations

import pytest
import torch

from snn_perception.training import distributed, precision
from snn_perception.training.precision import bfloat16_of, choose

PROCESSORS = {
    'Haswell': 'flags\t\t: fpu vme sse4_2 avx f16c fma avx2 bmi2 erms\nbugs\t\t: bf16_errata\n',
    'Zen 4': 'flags\t\t: fpu avx2 avx512f avx512bw avx512vl avx512_bf16 avx512_vnni\n',
    'Sapphire Rapids': 'flags\t\t: fpu avx2 avx512f avx512_bf16 amx_bf16 amx_tile amx_int8\n',
    'Cortex-A76': 'Features\t: fp asimd evtstrm aes pmull crc32 fphp asimdhp asimddp\n',
    'Neoverse V1': 'Features\t: fp asimd asimdhp sve asimdfhm i8mm bf16 dgh rng\n',
}


@pytest.mark.parametrize(
    ('processor', 'instructions'),
    [
        ('Haswell', None),
        ('Zen 4', 'avx512_bf16'),
        ('Sapphire Rapids', 'amx_bf16'),
        ('Cortex-A76', None),
        ('Neoverse V1', 'bf16'),
    ],
)
def test_a_processor_is_asked_for_its_instructions(tmp_path, processor, instructions):
    path = tmp_path / 'cpuinfo'
    path.write_text(f'processor\t: 0\n{PROCESSORS[processor]}\n' * 2)
    assert bfloat16_of('cpu', path) == instructions


def test_a_system_that_does_not_tell_has_none(tmp_path):
    assert bfloat16_of('cpu', tmp_path / 'nothing') is None


@pytest.mark.parametrize('device', ['cuda', 'cuda:1'])
@pytest.mark.parametrize('has_it', [True, False])
def test_a_gpu_is_asked_for_its_own_not_for_an_imitation(monkeypatch, device, has_it):
    def is_supported(including_emulation):
        return including_emulation or has_it

    monkeypatch.setattr(torch.cuda, 'is_bf16_supported', is_supported)
    chosen = choose('auto', device)
    assert chosen.is_mixed == has_it
    assert chosen.reason.startswith('this GPU has ' if has_it else 'this GPU has no ')


@pytest.fixture(params=[None, 'avx512_bf16'])
def found(request, monkeypatch):
    monkeypatch.setattr(precision, 'bfloat16_of', lambda device: request.param)
    return request.param


def test_auto_is_what_is_fast(found):
    chosen = choose('auto', 'cpu')
    assert chosen.name == ('bfloat16' if found else 'float32')
    assert (found or 'no instructions for bfloat16') in chosen.reason


def test_a_recipe_that_names_its_precision_gets_it_and_a_warning_if_it_is_slow(found):
    assert choose('float32', 'cpu').name == 'float32'
    chosen = choose('bfloat16', 'cpu')
    assert chosen.name == 'bfloat16'
    assert chosen.is_slow == (found is None)


def test_processes_agree_on_what_all_of_them_have(monkeypatch):
    monkeypatch.setattr(distributed, 'gather', lambda mine: ['amx_bf16', 'amx_bf16', None])
    chosen = choose('auto', 'cpu')
    assert chosen.name == 'float32'
    assert 'process 2 has no instructions' in chosen.reason
