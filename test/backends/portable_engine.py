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

"""Run by test_portability.py in a process of its own: compiles the sparse engine as told there."""

from __future__ import annotations

import re
import sys

import llvmlite.binding as llvm
import numpy as np
from random_models import random_images, random_model, taking_turns

from snn_perception.backends import create_simulator
from snn_perception.backends.event_kernels import run_network, shape_of
from snn_perception.backends.event_layout import arrange
from snn_perception.backends.event_rows import row_loop
from snn_perception.backends.event_turns_kernels import run_panel, run_stages
from snn_perception.layers import Convolution, Dense

LAYERS = (
    Convolution(6, 3),
    Convolution(24, 3, stride=2),
    Convolution(24, 3, padding=1, groups=24),
    Dense(40),
    Dense(64),
    Dense(3),
)
"""Of blocks of each width, and with a depthwise one."""


def models() -> list:
    """One whose layers fire all the time, and one whose layers take turns."""
    model = random_model(layers=LAYERS)
    return [model, taking_turns(model, 10)]


def loops() -> list:
    """What is compiled for them."""
    network, _ = arrange(models()[0], 'float32')
    shapes = {shape_of(network, index) for index in range(len(network.populations) - 1)}
    rows = (row_loop(*map(len, shape)) for shape in sorted(shapes))
    return [run_network, *rows, run_stages, run_panel]


def spikes_as_in_the_reference() -> None:
    """Print the vector registers in the machine code once its spikes are found to be right."""
    for model in models():
        images = random_images(model, 2)
        simulators = [create_simulator(model, name) for name in ('event', 'reference')]
        runs = [simulator.run(simulator.reset(2), images, 60) for simulator in simulators]
        assert runs[0].spikes.sum() > 500
        assert np.array_equal(runs[0].spikes, runs[1].spikes)
    code = ''.join(text for loop in loops() for text in loop.inspect_asm().values())
    print(*sorted(set(re.findall(r'%([xyz]mm)', code))))


def compile_for(triple: str, processor: str) -> None:
    """Print the machine code of the engine for another kind of processor."""
    for model in models():
        create_simulator(model, 'event')
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(triple).create_target_machine(cpu=processor, opt=2)
    layout = f'target datalayout = "{machine.target_data}"'
    for loop in loops():
        (code,) = loop.inspect_llvm().values()
        code = re.sub('target triple = ".*"', f'target triple = "{triple}"', code)
        code = re.sub('target datalayout = ".*"', layout, code)
        print(machine.emit_assembly(llvm.parse_assembly(code)))


if __name__ == '__main__':
    if len(sys.argv) > 1:
        compile_for(*sys.argv[1:])
    else:
        spikes_as_in_the_reference()
