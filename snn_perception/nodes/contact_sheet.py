"""A picture of what a camera showed and what the network said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from snn_perception.nodes.scoreboard import Outcome, Scoreboard, quantity

BACKGROUND, TEXT, DIM = '#14171c', '#e8eaed', '#9aa0a6'
RIGHT, WRONG = '#7bd88f', '#ff6b6b'
COLUMNS = 5


def save(path: Path, scoreboard: Scoreboard) -> None:
    """Save the latest outcomes on `scoreboard`, one at least, as a PNG file at `path`.

    Raises ValueError with a sentence if it cannot be written.
    """
    shown = scoreboard.latest
    rows = -(-len(shown) // COLUMNS)
    figure = Figure(figsize=(10, 1.0 + 2.35 * rows), dpi=110, facecolor=BACKGROUND)
    FigureCanvasAgg(figure)
    top = 1 - 0.8 / (1.0 + 2.35 * rows)
    grid = {'left': 0.02, 'right': 0.98, 'bottom': 0.45 / (1 + 2.35 * rows), 'top': top}
    axes = figure.subplots(
        rows, COLUMNS, squeeze=False, gridspec_kw={**grid, 'hspace': 0.42, 'wspace': 0.1}
    )
    for place in axes.ravel():
        place.axis('off')
    for place, outcome in zip(axes.ravel(), shown, strict=False):
        _draw(place, outcome, scoreboard.chip)
    height = figure.get_figheight()
    centred: dict[str, Any] = {'ha': 'center', 'va': 'top'}
    figure.text(0.5, 1 - 0.2 / height, scoreboard.verdict, color=TEXT, fontsize=14, **centred)
    figure.text(0.5, 1 - 0.52 / height, scoreboard.averages, color=DIM, fontsize=7, **centred)
    try:
        figure.savefig(path, facecolor=BACKGROUND, format='png')
    except OSError as reason:
        raise ValueError(f'{path} cannot be written: {reason.strerror}') from None


def _draw(place: Any, outcome: Outcome, chip: str) -> None:
    """One picture on the axes `place`, its label and what that cost below."""
    place.imshow(outcome.picture.pixels, cmap='gray', vmin=0, vmax=255, interpolation='nearest')
    colour = RIGHT if outcome.is_right else WRONG
    cost = (
        f'{outcome.value("latency_ms"):.0f} ms, {outcome.value("spikes"):,.0f} spikes, '
        f'{quantity(outcome.value(f"energy_{chip}_j"), "J")}'
    )
    label = f'{outcome.label}   {100 * outcome.score:.1f} %'
    below = {'ha': 'center', 'va': 'top', 'transform': place.transAxes}
    place.text(0.5, -0.05, label, color=colour, fontsize=13, fontweight='bold', **below)
    place.text(0.5, -0.24, cost, color=DIM, fontsize=7.5, **below)
