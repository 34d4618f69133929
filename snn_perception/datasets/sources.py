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

"""Where a camera's pictures come from: a folder of images, a video, a webcam, a stream."""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from snn_perception.datasets.finding import IMAGE_SUFFIXES, find_images
from snn_perception.datasets.layout import class_of, unwrapped
from snn_perception.image_files import image_format, read_image
from snn_perception.locations import resolve_path

OLDEST = 10.0
"""Seconds that a picture may have waited in the driver of a webcam."""

_DEVICE = re.compile('/dev/video([0-9]+)')
# Up to the last @, as a password may have any sign in it.
_SECRETS = re.compile('^([^:]*://)(?:.*@)?([^?#]*).*$', re.DOTALL)


@dataclass(frozen=True)
class Picture:
    """One picture: uint8 pixels, grey (height, width) or RGB (.., .., 3), and where it is from.

    `label` is the class of an image by the folder that it is in, empty for other pictures.
    `captured` is when a webcam captured the picture, in s of time.monotonic().
    """

    pixels: NDArray[np.uint8]
    name: str
    label: str = ''
    captured: float | None = None

    @property
    def age(self) -> int:
        """Time in ns since the picture was captured, 0 if that is not known."""
        return 0 if self.captured is None else round(1e9 * (time.monotonic() - self.captured))


def open_source(
    location: str, loop: bool, shuffle: bool, warn: Callable[[str], None]
) -> Iterator[Picture]:
    """Pictures of the folder, video or image file, webcam or address `location`.

    A webcam is named by its number or as a device, such as /dev/video0 or one of /dev/v4l/by-id;
    an address is what OpenCV opens, such as rtsp://HOST/PATH or http://HOST/PATH. Looks for the
    source at once; raises ValueError with a sentence if it is not there or has no pictures, then
    or while it is read. Single images that cannot be read and other files of a folder are
    skipped with a sentence to `warn`.
    """
    if location.isdecimal():
        return _captured(f'webcam {location}', int(location), False)
    if _is_address(location):
        return _captured(f'stream {without_password(location)}', location, loop)
    path = resolve_path(location)
    if path.is_dir():
        return _folder(path, loop, shuffle, warn)
    if path.is_char_device() or _DEVICE.fullmatch(os.path.realpath(path)):
        return _captured(f'webcam {location}', _device_number(location, path), False)
    if not path.is_file():
        raise ValueError(f'source {location!r} is not found: {path.absolute()} does not exist')
    return _file(path, location, loop, warn)


def without_password(location: str) -> str:
    """`location` as it may be shown: an address without user, password and query."""
    return _SECRETS.sub(r'\1\2', location) if _is_address(location) else location


def _is_address(location: str) -> bool:
    return '://' in location and not location.startswith('package://')


def _device_number(location: str, path: Path) -> int:
    """By which OpenCV knows the webcam `path`, a device or a link to one."""
    device = os.path.realpath(path)
    found = _DEVICE.fullmatch(device)
    if not found:
        raise ValueError(f'source {location!r} is a device, but no webcam as /dev/video0 is')
    if not os.access(device, os.F_OK):
        there = sorted(map(str, Path('/dev').glob('video[0-9]*')))
        raise ValueError(
            f'source {location!r} is not found: {device} does not exist; '
            f'webcams are {", ".join(there) or "none"}'
        )
    if not os.access(device, os.R_OK | os.W_OK):
        raise ValueError(
            f'source {location!r} cannot be opened: {device} is closed to this user, '
            f'who should be in its group, mostly `video`'
        )
    return int(found[1])


def _file(path: Path, location: str, loop: bool, warn: Callable[[str], None]) -> Iterator[Picture]:
    """The one image in the file `path`, or its pictures if it is a film."""
    try:
        kind = image_format(path)
    except OSError as reason:
        raise ValueError(f'source {location!r} cannot be read: {reason.strerror}') from None
    # A GIF that is named by itself may be a film.
    if kind in ('', 'GIF') and (kind or path.suffix.lower() not in IMAGE_SUFFIXES):
        return _captured(f'video {location}', str(path), loop)
    return _images([path], path.parent, loop, False, warn)


def _folder(
    folder: Path, loop: bool, shuffle: bool, warn: Callable[[str], None]
) -> Iterator[Picture]:
    try:
        found, root = find_images(folder), unwrapped(folder)
    except OSError as reason:
        raise ValueError(f'source {folder} cannot be read: {reason}') from None
    skipped = found.skipped()
    if not found.images:
        raise ValueError(f'folder {folder} holds no images' + (skipped and f', but {skipped}'))
    if skipped:
        warn(f'{folder}: skipped {skipped}')
    return _images(found.images, root, loop, shuffle, warn)


def _images(
    paths: Sequence[Path], root: Path, loop: bool, shuffle: bool, warn: Callable[[str], None]
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
            yield Picture(pixels, str(path), class_of(path, root))
        if not shown:
            raise ValueError(f'none of the {len(paths)} images in {root} can be read')
        if not loop:
            return


def _captured(what: str, source: int | str, loop: bool) -> Iterator[Picture]:
    """Pictures that OpenCV captures; opens the source at once and lets go of it at the end."""
    capture = cv2.VideoCapture(source)
    # The newest picture of a webcam, not one that has waited.
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    first = _next(capture)
    if first is None:
        capture.release()
        raise ValueError(f'{what} cannot be opened, or has no pictures')
    if isinstance(source, int):
        return _live(capture, what, is_webcam=True)
    # What an address leads to is a film only if it has an end.
    if _is_address(source) and capture.get(cv2.CAP_PROP_FRAME_COUNT) <= 0:
        return _live(capture, what, is_webcam=False)
    return _video(capture, first, source, what, loop)


def _next(capture: cv2.VideoCapture) -> NDArray[np.uint8] | None:
    """Pixels of the next picture in RGB, None if there is none."""
    works, picture = capture.read()
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8) if works else None


def _live(capture: cv2.VideoCapture, what: str, is_webcam: bool) -> Iterator[Picture]:
    """What an opened webcam or stream shows from the first call on, maybe long after that."""
    try:
        for number in count():
            asked = time.monotonic()
            pixels = _next(capture)
            if pixels is None:
                raise ValueError(f'{what} gives no more pictures')
            # The time of a stream is of a clock that is not known.
            position = capture.get(cv2.CAP_PROP_POS_MSEC) if is_webcam else 0.0
            captured = capture_time(asked, position)
            yield Picture(pixels, f'{what}, {number}', captured=captured)
    finally:
        capture.release()


def _video(
    capture: cv2.VideoCapture, first: NDArray[np.uint8], path: str, what: str, loop: bool
) -> Iterator[Picture]:
    """An opened video whose first picture is known."""
    pixels: NDArray[np.uint8] | None = first
    try:
        while pixels is not None:
            number = 0
            while pixels is not None:
                yield Picture(pixels, f'{what}, {number}')
                pixels, number = _next(capture), number + 1
            if not loop:
                return
            capture.open(path)
            pixels = _next(capture)
        raise ValueError(f'{what} cannot be opened again')
    finally:
        capture.release()


def capture_time(asked: float, position: float) -> float:
    """When a webcam captured a picture that it was asked for at `asked`, both as time.monotonic().

    `position` is what OpenCV says about it, in ms. With Video4Linux that is the time at which
    the driver captured the picture, by the same clock, and it is believed if it lies between
    OLDEST s before `asked` and now. With other drivers nothing is known but that a picture
    that has waited is older than `asked`, and one that was waited for is younger: that time
    stands in for it.
    """
    captured = position / 1e3
    return captured if asked - OLDEST <= captured <= time.monotonic() else asked
