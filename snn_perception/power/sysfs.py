"""Reading the files in which Linux shows a device, one value in each."""

from __future__ import annotations

from pathlib import Path

from snn_perception.power.base import Unreadable


def read_text(path: Path) -> str:
    """The line in the file `path`; raises Unreadable."""
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as reason:
        sentence = reason.strerror if isinstance(reason, OSError) else 'it is not text'
        raise Unreadable(f'{path} cannot be read: {sentence}') from reason


def read_integer(path: Path) -> int:
    """The integer in the file `path`; raises Unreadable."""
    text = read_text(path)
    try:
        return int(text)
    except ValueError:
        raise Unreadable(f'{path} must hold an integer, not {text[:20]!r}') from None
