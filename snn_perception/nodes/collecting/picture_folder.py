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

"""Pictures on the disk: a folder per class, and in it one per take."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from snn_perception.datasets.finding import IMAGE_SUFFIXES, folders_in, is_clutter
from snn_perception.datasets.layout import class_root
from snn_perception.datasets.takes import is_take
from snn_perception.whole_files import written_whole

COMPRESSION = 1
"""Of PNG, from 0 to 9: the fastest that compresses at all."""


@dataclass(frozen=True)
class Count:
    """What there is of a class; a picture in no take counts as one."""

    frames: int = 0
    takes: int = 0


class PictureFolder:
    """`folder/CLASS/take-DATE-TIME/0001.png` and so on; `folder` is made if need be.

    Several programs may write into it, since each makes its own takes. Raises ValueError with
    a sentence if nothing can be written there, or if it is divided into parts of a data set.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder.absolute()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with written_whole(self.path / '.writable') as unfinished:
                unfinished.touch()
            (self.path / '.writable').unlink()
            inner, part = class_root(self.path, False)
        except OSError as reason:
            raise ValueError(f'folder {folder} cannot be written to: {reason}') from None
        if part != 'whole':
            raise ValueError(
                f'folder {folder} is divided into parts of a data set; give the one with the '
                f'classes, for example {inner}'
            )

    def counts(self) -> dict[str, Count]:
        """What is there of each class, by name; classes without a picture too."""
        return {folder.name: _count(folder) for folder in folders_in(self.path)}

    def begin_take(self, name: str) -> Path:
        """A new folder for a take of the class `name`; raises OSError if it cannot be made."""
        began = time.strftime('take-%Y%m%d-%H%M%S')
        (self.path / name).mkdir(parents=True, exist_ok=True)
        for number in range(1, 1000):
            take = self.path / name / (f'{began}-{number}' if number > 1 else began)
            with suppress(FileExistsError):
                take.mkdir()
                return take
        raise OSError(f'{self.path / name} has too many takes of the same second')

    def write(self, take: Path, number: int, picture: NDArray[np.uint8]) -> Path:
        """Write `picture`, uint8 RGB, into `take`, and return where; raises OSError if it cannot.

        Then nothing is left of it, nor of a take that is empty.
        """
        path = take / f'{number:04d}.png'
        content = cv2.imencode(
            '.png', picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, COMPRESSION]
        )[1]
        try:
            with written_whole(path) as unfinished:
                unfinished.write_bytes(content.tobytes())
        except OSError:
            self._remove_if_empty(take)
            raise
        return path

    def delete(self, picture: Path) -> None:
        """Delete `picture`, and its take and class if they are empty then; raises OSError."""
        picture.unlink()
        self._remove_if_empty(picture.parent)

    def _remove_if_empty(self, take: Path) -> None:
        with suppress(OSError):
            take.rmdir()
            take.parent.rmdir()


def _count(folder: Path) -> Count:
    """What is in the `folder` of a class; it may change meanwhile."""
    frames, takes = 0, set()
    for path in folder.rglob('*'):
        if path.suffix.lower() not in IMAGE_SUFFIXES or is_clutter(path.name):
            continue
        frames += 1
        places = path.relative_to(folder).parts[:-1]
        takes.add(next((place for place in places if is_take(place)), str(path)))
    return Count(frames, len(takes))
