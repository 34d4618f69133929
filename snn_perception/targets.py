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

"""Where commands write, checked before they work: no result is lost for want of a folder."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError
from pathlib import Path


def file_to_write(text: str) -> Path:
    """The path of a file that can be written, for argparse."""
    path = Path(text)
    if path.is_dir():
        raise ArgumentTypeError(f'{path} is a folder; a file is needed')
    if not path.parent.is_dir():
        raise ArgumentTypeError(f'{path} cannot be written: {path.parent} is not a folder')
    _require_writable(path if path.exists() else path.parent)
    return path


def folder_to_write(text: str) -> Path:
    """The path of a folder that can be written to, or made, for argparse."""
    path = Path(text)
    existing = path.absolute()
    while not existing.exists():
        existing = existing.parent
    if not existing.is_dir():
        raise ArgumentTypeError(f'{path} cannot be written: {existing} is not a folder')
    _require_writable(existing)
    return path


def _require_writable(path: Path) -> None:
    if not os.access(path, os.W_OK):
        raise ArgumentTypeError(f'{path} cannot be written: permission denied')
