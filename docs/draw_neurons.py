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

"""Draws docs/neurons.png: the rate curve of each kind of neuron, its softening, and its spikes."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from snn_perception.neurons import IF, LIF, AdaptiveLIF, Softened, Theta
from snn_perception.reporting.style import CLASSES, finish, save_picture

KINDS = {'LIF': LIF(), 'adaptive LIF': AdaptiveLIF(inc_n=0.02), 'IF': IF(), 'theta': Theta()}
GAMMA, CURRENT, DT, STEPS = 0.1, 3.0, 0.0001, 2500


def main() -> None:
    """Draw the picture next to this file."""
    figure = Figure(figsize=(8, 3.6), layout='constrained')
    curves, trains = figure.subplots(1, 2)
    current = np.linspace(-0.5, 4, 600)
    for row, ((name, neuron), (colour, _)) in enumerate(zip(KINDS.items(), CLASSES, strict=True)):
        curves.plot(current, neuron.rate(current), color=colour, label=name)
        soft = Softened(neuron, GAMMA).rate(current)
        curves.plot(current, soft, '--', color=colour, linewidth=1)
        state, drive = neuron.rest((1,)), np.full(1, CURRENT)
        spiked = [bool(neuron.step(drive, state, DT)[0]) for _ in range(STEPS)]
        trains.eventplot(1000 * DT * np.flatnonzero(spiked), lineoffsets=row, linelengths=0.7,
                         color=colour)  # fmt: skip
    curves.set(xlabel='input current', ylabel='firing rate (Hz)')
    curves.set_title(f'rate curves, dashed softened by gamma = {GAMMA:g}', fontsize=9)
    curves.legend(frameon=False, fontsize=9)
    trains.set(xlabel='time (ms)', yticks=range(len(KINDS)), yticklabels=list(KINDS))
    trains.set_title(f'spikes under a current of {CURRENT:g}', fontsize=9)
    trains.invert_yaxis()
    for axes in (curves, trains):
        finish(axes)
    save_picture(figure, Path(__file__).with_name('neurons.png'))


if __name__ == '__main__':
    main()
