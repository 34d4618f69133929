"""Draws docs/neurons.png: the rate curve of each kind of neuron, its softening, and its spikes."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from snn_perception.neurons import IF, LIF, AdaptiveLIF, Softened, Theta

KINDS = {'LIF': LIF(), 'adaptive LIF': AdaptiveLIF(inc_n=0.02), 'IF': IF(), 'theta': Theta()}
COLOURS = ('#0072b2', '#d55e00', '#009e73', '#cc79a7')
GAMMA, CURRENT, DT, STEPS = 0.1, 3.0, 0.0001, 2500


def main() -> None:
    """Draw the picture beside this file."""
    figure = Figure(figsize=(8, 3.6), layout='constrained')
    curves, trains = figure.subplots(1, 2)
    current = np.linspace(-0.5, 4, 600)
    for row, ((name, neuron), colour) in enumerate(zip(KINDS.items(), COLOURS, strict=True)):
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
        axes.grid(alpha=0.3)
        axes.spines[['top', 'right']].set_visible(False)
    figure.savefig(Path(__file__).with_name('neurons.png'), dpi=120)


if __name__ == '__main__':
    main()
