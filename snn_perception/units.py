"""Numbers with units, for people."""

from __future__ import annotations

import math

PREFIXES = {-4: 'p', -3: 'n', -2: 'u', -1: 'm', 0: '', 1: 'k', 2: 'M', 3: 'G'}


def quantity(value: float, unit: str) -> str:
    """`value` with three significant digits and a prefix, for example '12.3 uJ'."""
    if not math.isfinite(value):
        return '-'
    exponent = 0 if value == 0 else math.floor(math.log10(abs(float(f'{value:.2e}'))) / 3)
    exponent = min(max(exponent, min(PREFIXES)), max(PREFIXES))
    return f'{value / 1000**exponent:.3g} {PREFIXES[exponent]}{unit}'
