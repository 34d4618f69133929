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

"""Draws engine.png: how the sparse engine lays out spikes, weights and neurons."""

from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

SPIKE, WINDOW, QUIET = '#d1495b', '#2e86ab', '#f2f2f2'
COLUMNS, ROWS, CHANNELS, KERNEL = 6, 2, 2, 3
# By column, row and channel, the order of the list.
SPIKES = [(0, 0, 1), (2, 0, 0), (2, 1, 1), (3, 1, 0), (5, 0, 0)]


def number_of(column, row, channel):
    """The row of weights for a window that begins at column 0."""
    return (row * KERNEL + column) * CHANNELS + channel


def box(axes, x, y, width, height, text='', face=QUIET, edge='#888888', colour='black'):
    axes.add_patch(Rectangle((x, y), width, height, facecolor=face, edgecolor=edge, lw=0.8))
    axes.text(
        x + width / 2, y + height / 2, text, ha='center', va='center', fontsize=8, color=colour
    )


def arrow(axes, start, end):
    axes.add_patch(
        FancyArrowPatch(start, end, arrowstyle='-|>', mutation_scale=11, color='#555555')
    )


def title(axes, x, y, text):
    axes.text(x, y, text, fontsize=9, va='bottom', weight='bold')


def draw_map(axes):
    title(axes, 0, 8.5, 'The rows of a map that a row of neurons sees, in one step: who spiked')
    for column in range(COLUMNS):
        axes.text(column + 0.5, 8.2, f'column {column}', ha='center', fontsize=7)
        for row in range(ROWS):
            for channel in range(CHANNELS):
                place = column, row, channel
                colours = (SPIKE, 'white') if place in SPIKES else (QUIET, '#999999')
                y, number = 7.6 - CHANNELS * row / 2 - channel / 2, number_of(*place)
                box(axes, column, y, 1, 0.5, f'{number}', colours[0], colour=colours[1])
    axes.plot((0, COLUMNS), (7.1, 7.1), color='#444444', lw=1.5)
    axes.add_patch(Rectangle((2, 6.1), 3, 2, fill=False, edgecolor=WINDOW, lw=2.5))
    text = 'two rows of two channels;\nthe window of a neuron:\ncolumns 2 to 4'
    axes.text(6.15, 6.8, text, fontsize=8, color=WINDOW)


def draw_lists(axes):
    title(axes, 0, 5.1, 'Their list: events by columns, and where those of each column start')
    for place, spike in enumerate(SPIKES):
        box(axes, place, 4.4, 1, 0.5, str(number_of(*spike)), SPIKE, colour='white')
    axes.add_patch(Rectangle((1, 4.4), 3, 0.5, fill=False, edgecolor=WINDOW, lw=2.5))
    starts = [sum(spike[0] < column for spike in SPIKES) for column in range(COLUMNS + 1)]
    for place, start in enumerate(starts):
        edge = WINDOW if place in (2, 5) else '#888888'
        box(axes, place, 3.6, 1, 0.5, str(start), edge=edge)
    axes.text(7.2, 3.75, 'starts [2] and [5] bound the window', fontsize=8, color=WINDOW)
    arrow(axes, (2.5, 4.1), (1.1, 4.4))
    arrow(axes, (5.5, 4.1), (4.0, 4.4))
    arrow(axes, (3, 6.05), (2.6, 5.5))


def draw_weights(axes):
    title(
        axes,
        0,
        2.9,
        'Each event is the number of a row of weights, counted from where the window begins',
    )
    for place, number in enumerate(('4', '11', '12')):
        y = 2.2 - 0.55 * place
        box(axes, 0, y, 1, 0.45, number, SPIKE, colour='white')
        box(axes, 1.4, y, 5, 0.45, 'weights to 64 channels, one behind the other', '#e8f1f5')
    arrow(axes, (6.5, 1.85), (7.4, 1.85))
    box(
        axes,
        7.5,
        1.1,
        2.6,
        1.5,
        'add up in registers,\nsynapse, neurons:\n64 at once',
        '#dff0d8',
    )
    arrow(axes, (8.8, 1.05), (8.8, 0.65))
    box(axes, 7.5, 0.1, 2.6, 0.5, '64 bits: who spiked', SPIKE, colour='white')
    arrow(axes, (7.4, 0.35), (6.5, 0.35))
    axes.text(
        0,
        0.25,
        'From these bits come the lists of all populations that hear this one.',
        fontsize=8,
    )


figure = Figure(figsize=(8.2, 6.6), layout='constrained')
axes = figure.subplots()
axes.set(xlim=(-0.1, 10.6), ylim=(0, 9))
axes.axis('off')
draw_map(axes)
draw_lists(axes)
draw_weights(axes)
figure.savefig(Path(__file__).with_name('engine.png'), dpi=110)
