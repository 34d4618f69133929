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

"""Sharing out the work of compiled loops: threads take parts of it, and wait until all are done.

A `run` here has its number of `threads`, and in `progress` counters that begin with 0.
"""

from __future__ import annotations

from typing import Any

from snn_perception.backends.vectors import fetch_add, give_way
from snn_perception.compiled import part

TURNS = 1000
"""How often a waiting thread reads a counter before it yields the processor to others."""


@part()
def take(run: Any, counter: int, share: int, units: int) -> int:
    """The next of the `units` that belong to a `share`; -1 if all of them are taken."""
    begin, end = units * share // run.threads, units * (share + 1) // run.threads
    unit = begin + fetch_add(run.progress, counter, 1)
    return unit if unit < end else -1


@part()
def wait(run: Any, counter: int, count: int) -> None:
    """Return once there is `count` at `counter` in `run.progress`."""
    turns = 0
    while fetch_add(run.progress, counter, 0) < count:
        turns += 1
        if turns > TURNS:
            give_way()
