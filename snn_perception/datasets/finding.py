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

"""Which files of a folder are images: one answer for cameras and data sets.

A file is an image if its first bytes or its name say so. One that only its name calls an image
is found too, so that reading it says what is wrong with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from snn_perception.image_files import image_format

IMAGE_SUFFIXES = frozenset(
    (
        *('.avif', '.bmp', '.gif', '.heic', '.heif', '.j2k', '.jfif', '.jp2', '.jpe', '.jpeg'),
        *('.jpg', '.pbm', '.pgm', '.png', '.pnm', '.ppm', '.tif', '.tiff', '.webp'),
    )
)
"""File name endings, in lower case, of what was meant to be an image."""

CLUTTER = frozenset(('__macosx', 'thumbs.db', 'ehthumbs.db', 'desktop.ini', 'lost+found'))
"""Names, in lower case, that systems leave behind; names that begin with a dot are clutter too."""


@dataclass(frozen=True)
class Found:
    """What is in a folder, at any depth, in order of the paths.

    `images` are to be read, though some may be damaged, `others` are files of another kind,
    and `clutter` are hidden and left-over names that nobody means.
    """

    images: tuple[Path, ...]
    others: tuple[Path, ...]
    clutter: tuple[Path, ...]

    def skipped(self, unclassed: Sequence[Path] = ()) -> str:
        """Half a sentence about what is passed over, and `unclassed` images; '' if nothing."""
        parts = (
            (unclassed, 'in the folder of no class'),
            (self.others, 'of no known image format'),
            (self.clutter, 'hidden or left over by a system'),
        )
        return ' and '.join(
            f'{len(paths)} {what} ({listed([path.name for path in paths])})'
            for paths, what in parts
            if paths
        )


def find_images(folder: Path) -> Found:
    """What is in `folder` at any depth; raises OSError for a folder that cannot be read."""
    images: list[Path] = []
    others: list[Path] = []
    clutter: list[Path] = []
    for path in _walked(folder, clutter):
        (images if _is_image(path) else others).append(path)
    return Found(tuple(sorted(images)), tuple(sorted(others)), tuple(sorted(clutter)))


def folders_in(folder: Path) -> list[Path]:
    """The folders in `folder` that are no clutter, in order of their names."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and not is_clutter(path.name))


def holds_images(folder: Path) -> bool:
    """Whether images lie in `folder` itself."""
    return any(_is_image(path) for path in folder.iterdir() if not is_clutter(path.name))


def is_clutter(name: str) -> bool:
    """Whether a file or folder called `name` is hidden, or left over by a system."""
    return name.startswith('.') or name.lower() in CLUTTER


def listed(names: Sequence[str], most: int = 3, separator: str = ', ') -> str:
    """The first `most` of `names`, and how many more there are."""
    shown = separator.join(names[:most])
    return f'{shown}{separator}and {len(names) - most} more' if len(names) > most else shown


def _walked(folder: Path, clutter: list[Path]) -> Iterator[Path]:
    """The files below `folder`, through links too, each folder once; clutter goes there."""
    seen = set()
    for root, folders, files in os.walk(folder, onerror=_refuse, followlinks=True):
        status = os.stat(root)
        if (status.st_dev, status.st_ino) in seen:  # a link to a folder above it
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        clutter += [Path(root, name) for name in (*folders, *files) if is_clutter(name)]
        folders[:] = [name for name in folders if not is_clutter(name)]
        yield from (Path(root, name) for name in files if not is_clutter(name))


def _refuse(reason: OSError) -> None:
    raise reason


def _is_image(path: Path) -> bool:
    # The name first: it costs nothing, and there may be a million files.
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return not path.is_dir()
    try:
        return path.is_file() and bool(image_format(path))
    except OSError:
        return False
