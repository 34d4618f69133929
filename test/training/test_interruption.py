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

"""Signals to this very process, which are put off and then have their effect."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager

import pytest

from snn_perception.training.interruption import SIGNALS, deferred, handled_by


@pytest.mark.parametrize('number', SIGNALS)
def test_a_signal_is_put_off_and_then_has_its_effect(number):
    effects = []
    with handled_by(lambda number, frame: effects.append(number)):
        with deferred(insists=True) as is_interrupted:
            assert not is_interrupted()
            signal.raise_signal(number)
            assert is_interrupted()
            assert not effects
        assert effects == [number]


def saved_in_spite_of(signals, insists):
    """What came of saving while `signals` arrive, in its order."""
    events = []
    try:
        with deferred(insists):
            for number in signals:
                signal.raise_signal(number)
            events.append('saved')
    except KeyboardInterrupt:
        events.append('interrupted')
    return events


def test_ctrl_c_raises_keyboard_interrupt_in_the_end():
    assert saved_in_spite_of([signal.SIGINT], insists=True) == ['saved', 'interrupted']


def test_a_second_signal_is_obeyed_at_once_where_it_insists():
    twice = [signal.SIGINT, signal.SIGINT]
    assert saved_in_spite_of(twice, insists=True) == ['interrupted']
    assert saved_in_spite_of(twice, insists=False) == ['saved', 'interrupted']


@contextmanager
def ignored(number):
    before = signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(number, before)


def test_what_is_ignored_stays_ignored_as_under_nohup():
    with ignored(signal.SIGHUP), deferred(insists=True) as is_interrupted:
        signal.raise_signal(signal.SIGHUP)
        assert not is_interrupted()


def test_handlers_are_given_back():
    before = [signal.getsignal(number) for number in SIGNALS]
    with deferred(insists=True):
        assert signal.getsignal(signal.SIGINT) not in before
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_thread_may_train_though_it_gets_no_signals():
    answers = []

    def work():
        with deferred(insists=True) as is_interrupted:
            answers.append(is_interrupted())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert answers == [False]
