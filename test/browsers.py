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

"""A real browser for tests of pages; what needs one is skipped where there is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

NAMES = ('chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome')
VARIABLE = 'SNN_PERCEPTION_BROWSER'
"""Names the executable of a Chromium elsewhere."""


@contextmanager
def browser() -> Iterator[Any]:
    """A running browser, as Playwright drives it."""
    playwright = pytest.importorskip('playwright.sync_api')
    path = os.environ.get(VARIABLE) or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(
            f'there is no browser: install chromium-headless-shell (Debian) or chromium, or name '
            f'one in {VARIABLE}'
        )
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=path)
        try:
            yield running
        finally:
            running.close()
