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

"""The one-slot mailbox and its worker thread."""

from __future__ import annotations

import threading

import pytest

from snn_perception.nodes.frames.mailbox import Mailbox, Worker

SECONDS = 10


def test_newest_item_wins_and_the_overwritten_ones_are_told() -> None:
    mailbox: Mailbox[int] = Mailbox()
    assert [mailbox.put('a', item) for item in (1, 2, 3)] == [False, True, True]
    assert mailbox.take() == [3]
    assert mailbox.put('a', 4) is False


def test_senders_do_not_overwrite_each_other_and_the_first_to_wait_comes_first() -> None:
    mailbox: Mailbox[int] = Mailbox()
    puts = [('b', 1), ('a', 2), ('b', 3)]
    assert [mailbox.put(*put) for put in puts] == [False, False, True]
    assert mailbox.take() == [3, 2]


def test_take_waits_for_an_item() -> None:
    mailbox: Mailbox[str] = Mailbox()
    threading.Timer(0.02, mailbox.put, ['a', 'late']).start()
    assert mailbox.take() == ['late']


def test_closing_wakes_who_waits_and_lets_nothing_be_taken() -> None:
    mailbox: Mailbox[int] = Mailbox()
    threading.Timer(0.02, mailbox.close).start()
    assert mailbox.take() == []
    mailbox.put('a', 1)
    assert mailbox.take() == []


def test_cleared_item_is_gone() -> None:
    mailbox: Mailbox[int] = Mailbox()
    mailbox.put('a', 1)
    mailbox.put('b', 2)
    mailbox.clear('a')
    assert mailbox.put('a', 3) is False
    assert mailbox.take() == [2, 3]


def test_worker_survives_what_its_work_raises() -> None:
    reported: list[Exception] = []
    done = threading.Event()

    def handle(items: list[int]) -> None:
        if items == [1]:
            raise RuntimeError('broken')
        done.set()

    def report(reason: Exception) -> None:
        reported.append(reason)
        worker.mailbox.put('a', 2)

    worker = Worker(handle, report)
    worker.start()
    worker.mailbox.put('a', 1)
    assert done.wait(SECONDS)
    assert worker.stop()
    assert [str(reason) for reason in reported] == ['broken']


def test_worker_takes_only_the_newest_of_what_came_while_it_was_busy() -> None:
    handled: list[int] = []
    busy, release, done = threading.Event(), threading.Event(), threading.Event()

    def handle(items: list[int]) -> None:
        handled.extend(items)
        busy.set()
        assert release.wait(SECONDS)
        if items == [3]:
            done.set()

    worker = Worker(handle, lambda reason: None)
    worker.start()
    worker.mailbox.put('a', 1)
    assert busy.wait(SECONDS)
    worker.mailbox.put('a', 2)
    worker.mailbox.put('a', 3)
    release.set()
    assert done.wait(SECONDS)
    assert worker.stop()
    assert handled == [1, 3]


def test_stopping_worker_tells_long_work_to_give_up() -> None:
    busy = threading.Event()

    def handle(items: list[int]) -> None:
        busy.set()
        while not worker.is_stopping:
            threading.Event().wait(0.001)

    worker = Worker(handle, lambda reason: None)
    worker.start()
    worker.mailbox.put('a', 1)
    assert busy.wait(SECONDS)
    assert worker.stop(SECONDS)


def test_stop_says_when_the_work_does_not_end() -> None:
    busy, release = threading.Event(), threading.Event()

    def handle(items: list[int]) -> None:
        busy.set()
        release.wait(SECONDS)

    worker = Worker(handle, lambda reason: None)
    worker.start()
    worker.mailbox.put('a', 1)
    assert busy.wait(SECONDS)
    assert worker.stop(0.01) is False
    release.set()
    assert worker.stop(SECONDS) is True


@pytest.mark.filterwarnings('ignore::pytest.PytestUnhandledThreadExceptionWarning')
def test_worker_that_something_ends_says_what() -> None:
    busy = threading.Event()

    def handle(items: list[int]) -> None:
        busy.set()
        raise SystemExit(3)

    worker = Worker(handle, lambda reason: None)
    assert (worker.is_running, worker.fault) == (False, '')
    worker.start()
    assert worker.is_running
    worker.mailbox.put('a', 1)
    assert busy.wait(SECONDS)
    assert worker.stop(SECONDS)
    assert worker.fault == 'the worker thread ended 0 s ago with SystemExit: 3'


@pytest.mark.filterwarnings('ignore::pytest.PytestUnhandledThreadExceptionWarning')
def test_worker_whose_report_breaks_says_so() -> None:
    reporting = threading.Event()

    def report(reason: Exception) -> None:
        reporting.set()
        raise RuntimeError('no log')

    worker = Worker(lambda item: 1 / 0, report)
    worker.start()
    worker.mailbox.put('a', 1)
    assert reporting.wait(SECONDS)
    assert worker.stop(SECONDS)
    assert 'RuntimeError: no log' in worker.fault


def test_stopped_worker_has_no_fault() -> None:
    worker = Worker(print, lambda reason: None)
    worker.start()
    assert worker.stop(SECONDS)
    assert worker.fault == ''
