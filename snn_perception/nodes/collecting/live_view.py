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

"""What the page shows: the newest frame, and the state of the collection as plain values."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from snn_perception.images import Preprocessing, convert_channels, kept_part
from snn_perception.nodes.collecting.collection import Collection, Frame
from snn_perception.nodes.collecting.next_steps import advice, is_enough, next_commands

JPEG_QUALITY = 85
POLL = 0.02
"""Seconds between two looks for something new."""
RECOUNT = 2.0
"""Seconds after which the disk is looked at again while a page is open."""


class LiveView:
    """The `collection` as the page shows it.

    `preprocessing` is how the network sees a frame, `camera` describes where frames come from,
    and what is wrong there ('' if nothing).
    """

    def __init__(
        self,
        collection: Collection,
        preprocessing: Preprocessing,
        camera: Callable[[], tuple[str, str]],
    ) -> None:
        self._collection = collection
        self._preprocessing = preprocessing
        self._camera = camera
        self._run = secrets.token_hex(4)
        self._encoded: dict[str, tuple[Frame, bytes]] = {}
        self._encoding = threading.Lock()
        self._recounted = 0.0

    async def changed(self, version: str, timeout: float) -> None:
        """Return once the state is no longer of `version`, or after `timeout` s."""
        end = time.monotonic() + timeout
        while version == self._version() and time.monotonic() < end:
            await asyncio.sleep(POLL)

    def state(self) -> dict[str, Any]:
        """Everything that the page shows beside pictures, as values of JSON."""
        collection, totals = self._collection, self._collection.totals
        if time.monotonic() - self._recounted > RECOUNT:
            self._recounted = time.monotonic()
            collection.recount()
        counts = collection.counts()
        frame, recording = collection.frame, collection.recording
        topic, problem = self._camera()
        return {
            'version': self._version(),
            'frame': frame.number if frame else 0,
            'age_s': round(time.monotonic() - frame.arrived, 1) if frame else None,
            'size': [*frame.picture.shape[1::-1]] if frame else None,
            'crop': self._crop(frame) if frame else None,
            'topic': topic,
            'problem': problem,
            'message': collection.message,
            'is_trouble': collection.is_trouble,
            'recording': recording.name if recording else '',
            'classes': [
                {
                    'name': name,
                    'frames': count.frames,
                    'takes': count.takes,
                    'advice': advice(count),
                }
                for name, count in counts.items()
            ],
            'saved': totals.saved,
            'skipped': totals.skipped,
            'unreadable': totals.unreadable,
            'last_unreadable': totals.last_unreadable,
            'folder': str(collection.folder.path),
            'enough': is_enough(counts),
            'next': [
                {'what': what, 'command': command}
                for what, command in next_commands(collection.folder.path)
            ],
        }

    def picture(self, which: str) -> bytes | None:
        """The newest frame as JPEG: 'frame' as it would be saved, 'seen' as the network sees it.

        None before the first frame. For several pages it is encoded once.
        """
        frame = self._collection.frame
        if frame is None:
            return None
        with self._encoding:
            known = self._encoded.get(which)
            if known is None or known[0] is not frame:
                pixels = frame.picture if which == 'frame' else frame.seen
                known = self._encoded[which] = frame, _jpeg(pixels)
        return known[1]

    def _version(self) -> str:
        return f'{self._run}-{self._collection.version}'

    def _crop(self, frame: Frame) -> list[float]:
        """The part of the picture that the network sees: left, top, width, height from 0 to 1."""
        rows, columns = frame.picture.shape[:2]
        left, top, across, down = kept_part(rows, columns, self._preprocessing)
        return [left / columns, top / rows, across / columns, down / rows]


def _jpeg(pixels: NDArray[np.uint8]) -> bytes:
    colours = convert_channels(pixels, 3)[..., ::-1]
    return bytes(cv2.imencode('.jpg', colours, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1])
