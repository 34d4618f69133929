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

"""Threads that share out a loop."""

from __future__ import annotations

import threading
import time

import pytest

from snn_perception.threads import in_parallel, together

PATIENCE = 10


def ours() -> int:
    return sum(thread.name.startswith('snn_perception') for thread in threading.enumerate())


@pytest.mark.parametrize('threads', [1, 2, 5])
def test_every_part_of_a_loop_is_done_once(threads):
    done = []
    in_parallel(lambda start, stop: done.extend(range(start, stop)), 1000, threads)
    assert sorted(done) == list(range(1000))


def test_another_number_of_threads_takes_the_place_of_the_last():
    for threads in (3, 7, 5, 6, 4, 2):
        barrier = threading.Barrier(threads)
        together(lambda thread, barrier=barrier: barrier.wait(PATIENCE), threads)
    end = time.monotonic() + PATIENCE
    while ours() > 2 and time.monotonic() < end:
        time.sleep(0.01)
    assert ours() <= 2
