"""Writing a file whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A path to write to meanwhile; in the end its file takes the place of `path`, or not at all.

    Raises OSError with a sentence if it cannot be written, as on a full disk.
    """
    unfinished = path.with_name(f'{path.name}.unfinished')
    try:
        yield unfinished
        os.replace(unfinished, path)
    except (OSError, SafetensorError) as reason:
        raise OSError(
            f'{path} cannot be written: {reason}; what was there before is kept'
        ) from None
    finally:
        unfinished.unlink(missing_ok=True)
