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

"""The log of a training, in the folder that it writes to."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from snn_perception.training import distributed

LOG = logging.getLogger('snn_perception.training')


@contextmanager
def log_in(output: Path) -> Iterator[None]:
    """Append the log to training.log in `output` meanwhile, one line per event with the time.

    Only in the first process.
    """
    if not distributed.leads():
        yield
        return
    output.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(output / 'training.log', encoding='utf-8')
    handler.setFormatter(logging.Formatter('%(asctime)s %(message)s'))
    level = LOG.level
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    try:
        yield
    finally:
        LOG.setLevel(level)
        LOG.removeHandler(handler)
        handler.close()
