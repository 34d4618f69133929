"""Where a camera's pictures come from: a folder of images, a video file, a webcam."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from snn_perception.images import IMAGE_SUFFIXES, read_image
from snn_perception.locations import resolve


@dataclass(frozen=True)
class Picture:
    """One picture: uint8 pixels, grey (height, width) or RGB (.., .., 3), and where it is from.

    `label` is the name of the folder that an image is in, empty for other pictures.
    """

    pixels: NDArray[np.uint8]
    name: str
    label: str = ''


def open_source(
    location: str, loop: bool, shuffle: bool, warn: Callable[[str], None]
) -> Iterator[Picture]:
    """Pictures of the folder, video or image file, or webcam number `location`.

    Looks for the source at once; raises ValueError with a sentence if it is not there or has
    no pictures, then or while it is read. Single images that cannot be read are skipped with
    a sentence to `warn`.
    """
    if location.isdecimal():
        return _captured(location, int(location), loop=False)
    path = resolve(location, 'resource/images')
    if path.is_dir():
        return _folder(path, loop, shuffle, warn)
    if not path.is_file():
        raise ValueError(f'source {location!r} is not found: {path} does not exist')
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return _images([path], str(path), loop, False, warn)
    return _captured(location, str(path), loop)


def _folder(
    folder: Path, loop: bool, shuffle: bool, warn: Callable[[str], None]
) -> Iterator[Picture]:
    paths = sorted(
        path
        for path in folder.rglob('*')
        if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()
    )
    if not paths:
        raise ValueError(
            f'folder {folder} holds no images, files that end in '
            f'{", ".join(sorted(IMAGE_SUFFIXES))}'
        )
    return _images(paths, str(folder), loop, shuffle, warn)


def _images(
    paths: list[Path], source: str, loop: bool, shuffle: bool, warn: Callable[[str], None]
) -> Iterator[Picture]:
    while True:
        shown = 0
        for path in random.sample(paths, len(paths)) if shuffle else paths:
            try:
                pixels = read_image(path)
            except ValueError as reason:
                warn(f'skipped: {reason}')
                continue
            shown += 1
            yield Picture(pixels, str(path), path.parent.name)
        if not shown:
            raise ValueError(f'none of the {len(paths)} images in {source} can be read')
        if not loop:
            return


def _captured(location: str, source: int | str, loop: bool) -> Iterator[Picture]:
    """Pictures that OpenCV captures; opens the source at once and lets go of it at the end."""
    capture = cv2.VideoCapture(source)
    # The newest picture of a webcam, not one that has waited.
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    what = f'webcam {location}' if isinstance(source, int) else f'video {location}'
    works, first = capture.read()
    if not works:
        capture.release()
        raise ValueError(f'{what} cannot be opened, or has no pictures')

    def pictures() -> Iterator[Picture]:
        picture, number = first, 0
        try:
            while True:
                pixels = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
                yield Picture(pixels, f'{what}, {number}')
                works, picture = capture.read()
                number += 1
                if works:
                    continue
                if isinstance(source, int):
                    raise ValueError(f'{what} gives no more pictures')
                if not loop:
                    return
                capture.open(source)
                works, picture = capture.read()
                number = 0
                if not works:
                    raise ValueError(f'{what} cannot be opened again')
        finally:
            capture.release()

    return pictures()
