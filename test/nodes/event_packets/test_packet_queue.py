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

"""Packets that wait for a bounded time."""

from __future__ import annotations

import threading

import pytest

from snn_perception.nodes.event_packets.queue import Delivery, PacketQueue


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """A queue in which packets may wait for a second, by a clock that stands still."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.dropped: list[int] = []
        self.queue = PacketQueue(lambda: 1.0, self.dropped.append, self.clock)

    def put(self, number: int, when: float) -> None:
        self.clock.now = when
        self.queue.put(Delivery(number, when))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def taken(queue: PacketQueue, count: int) -> list[tuple[int, bool]]:
    found = [queue.take()[0] for _ in range(count)]
    return [(one.message, one.follows_gap) for one in found]


def test_packets_are_taken_in_order_one_at_a_time(bench: Bench) -> None:
    for number in range(3):
        bench.put(number, 0.1 * number)
    assert taken(bench.queue, 3) == [(0, False), (1, False), (2, False)]
    assert bench.dropped == []


def test_oldest_packets_are_dropped_and_the_next_one_says_so(bench: Bench) -> None:
    for number in range(4):
        bench.put(number, 0.5 * number)
    assert bench.dropped == [1]
    assert taken(bench.queue, 3) == [(1, True), (2, False), (3, False)]


def test_packet_that_gets_too_old_while_it_waits_is_dropped_when_others_are_taken(
    bench: Bench,
) -> None:
    bench.put(1, 0.0)
    bench.put(2, 0.5)
    bench.clock.now = 1.2
    assert taken(bench.queue, 1) == [(2, True)]
    assert bench.dropped == [1]


def test_newest_packet_is_never_dropped(bench: Bench) -> None:
    for number in range(3):
        bench.put(number, 0.1 * number)
    bench.clock.now = 60.0
    assert taken(bench.queue, 1) == [(2, True)]
    assert bench.dropped == [2]


def test_however_many_packets_come_no_more_wait_than_come_in_the_longest_time(
    bench: Bench,
) -> None:
    for number in range(10_000):
        bench.put(number, 0.01 * number)
    assert sum(bench.dropped) >= 10_000 - 102
    first = bench.queue.take()[0]
    assert first.received >= bench.clock.now - 1.0


def test_what_was_waiting_when_the_queue_was_cleared_is_a_gap_but_not_counted(
    bench: Bench,
) -> None:
    bench.put(1, 0.0)
    bench.queue.clear()
    bench.put(2, 0.1)
    assert taken(bench.queue, 1) == [(2, True)]
    assert bench.dropped == []


def test_closing_wakes_who_waits(bench: Bench) -> None:
    found: list[list[Delivery]] = []
    thread = threading.Thread(target=lambda: found.append(bench.queue.take()))
    thread.start()
    bench.queue.close()
    thread.join(10)
    assert found == [[]]
