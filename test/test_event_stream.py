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

"""Decisions on events: of a recording, and in a stream that never ends."""

from __future__ import annotations

import dataclasses

import event_sides
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_models import event_model, random_events, random_model

from snn_perception.backends import create_simulator
from snn_perception.event_stream import EventStream
from snn_perception.readout import Readout
from snn_perception.record import Record

SHAPE, READOUT = event_sides.SHAPE, event_sides.READOUT


def sides(readout=READOUT):
    """A model that tells on which side of the sensor events are."""
    return dataclasses.replace(event_sides.model(), readout=readout)


def events(side, steps, seed=0, rate=0.05):
    """Counts (steps, height, width, 2) at this side, `rate` of each pixel and polarity a step."""
    counts = np.random.default_rng(seed).poisson(rate, (steps, *SHAPE)).astype(np.uint8)
    counts[:, :, 3:] *= side == 'right'
    counts[:, :, :3] *= side == 'left'
    return counts


@pytest.fixture
def simulator():
    return create_simulator(sides(), 'event')


def test_a_decision_falls_when_the_evidence_suffices_and_not_when_the_events_end(simulator):
    for side in ('left', 'right'):
        decision = simulator.classify_events(events(side, 100))
        assert decision.label == side
        assert decision.stopped_by == 'confidence'
        assert decision.simulated_time < 0.1
        assert decision.score >= 0.95


def test_more_events_make_faster_decisions(simulator):
    fast, slow = (
        simulator.classify_events(events('left', 100, rate=rate)) for rate in (0.2, 0.03)
    )
    assert fast.simulated_time < slow.simulated_time
    assert fast.label == slow.label == 'left'


def test_a_decision_falls_at_last_when_the_events_or_the_time_are_over(simulator):
    silence = np.zeros((200, *SHAPE), np.uint8)
    for steps, time in ((200, 0.1), (30, 0.03), (1, 0.001)):
        decision = simulator.classify_events(silence[:steps])
        assert decision.stopped_by == 'time'
        assert decision.simulated_time == pytest.approx(time)
        assert decision.scores == pytest.approx(0.5)
    assert simulator.classify_events(silence, presentation_time=0.02).simulated_time == 0.02


def test_events_that_end_before_the_evidence_begins_leave_little_of_it():
    late = dataclasses.replace(READOUT, start_time=0.05)
    simulator = create_simulator(sides(late), 'event')
    early = simulator.classify_events(events('left', 30, rate=0.2))
    later = simulator.classify_events(events('left', 100, rate=0.2))
    assert early.label == later.label == 'left'
    assert early.score < later.score


def test_a_decision_on_events_counts_what_they_cost(simulator):
    counts = events('left', 100)
    record = Record()
    decision = simulator.classify_events(counts, record=record)
    steps = round(decision.simulated_time / 0.001)
    assert decision.macs == 0
    assert decision.activity.synaptic_operations[0] == 20 * counts[:steps].sum()
    assert record.spikes.sum() == decision.activity.spikes.sum() > 0


def test_a_state_goes_on_where_it_was(simulator):
    counts = events('left', 60)
    whole = simulator.run(simulator.reset(), counts[:, None], 60)
    state = simulator.reset()
    parts = [simulator.classify_events(counts[at : at + 20], state) for at in (0, 20, 40)]
    assert [part.simulated_time for part in parts] == [0.02] * 3
    assert np.array_equal(sum(part.activity.spikes for part in parts), whole.spikes[0])


def test_the_first_decision_of_a_stream_is_that_on_a_recording(simulator):
    counts = events('left', 100)
    alone, (first, *_) = simulator.classify_events(counts), EventStream(simulator).advance(counts)
    assert first.simulated_time == alone.simulated_time
    assert np.array_equal(first.scores, alone.scores)
    assert np.array_equal(first.activity.spikes, alone.activity.spikes)


def test_evidence_begins_anew_after_a_decision_and_so_does_its_cost(simulator):
    stream = EventStream(simulator)
    left = stream.advance(events('left', 300))
    right = stream.advance(events('right', 300))
    assert {decision.label for decision in left} == {'left'}
    # What was seen of the other side since the last decision still counts in the next one.
    assert {decision.label for decision in right[1:]} == {'right'}
    assert len(left) > 5
    assert len(right) > 5
    total = sum(decision.activity.synaptic_operations[0] for decision in left + right)
    assert 0.9 < total / (20 * (events('left', 300).sum() + events('right', 300).sum())) <= 1


def test_a_silent_stream_decides_after_each_presentation_time_and_knows_nothing(simulator):
    decisions = EventStream(simulator).advance(np.zeros((350, *SHAPE), np.uint8))
    assert [decision.stopped_by for decision in decisions] == ['time'] * 3
    assert [decision.simulated_time for decision in decisions] == [0.1] * 3


def test_start_time_counts_from_rest_alone():
    late = dataclasses.replace(READOUT, start_time=0.05)
    stream = EventStream(create_simulator(sides(late), 'event'))
    first, second, *_ = stream.advance(events('left', 300))
    assert first.simulated_time >= 0.055
    assert second.simulated_time < 0.05
    stream.reset()
    assert stream.advance(events('left', 300))[0].simulated_time == first.simulated_time


def test_a_stream_shows_what_it_would_say_now(simulator):
    stream = EventStream(simulator)
    assert stream.scores == pytest.approx([0.5, 0.5])
    assert not stream.advance(events('left', 9, rate=0.02))
    before = stream.scores
    assert before.sum() == pytest.approx(1)
    stream.forget()
    assert stream.scores == pytest.approx([0.5, 0.5])


@given(
    chunks=st.lists(st.integers(1, 90), min_size=1, max_size=8),
    seed=st.integers(0, 99),
    threshold=st.sampled_from([0.7, 0.95, 1.0]),
    start_time=st.sampled_from([0.0, 0.02]),
)
@settings(max_examples=25, deadline=None)
def test_in_how_many_calls_events_come_makes_no_difference(chunks, seed, threshold, start_time):
    readout = dataclasses.replace(
        READOUT, confidence_threshold=threshold, start_time=start_time, presentation_time=0.05
    )
    simulator = create_simulator(sides(readout), 'event')
    halves = sum(chunks) // 2
    counts = np.concatenate(
        [events('left', halves, seed), events('right', sum(chunks) - halves, seed)]
    )
    whole, stream = EventStream(simulator).advance(counts), EventStream(simulator)
    parts = [
        decision
        for part in np.split(counts, np.cumsum(chunks)[:-1])
        for decision in stream.advance(part)
    ]
    assert len(whole) == len(parts)
    for one, other in zip(whole, parts, strict=True):
        assert (one.label, one.stopped_by) == (other.label, other.stopped_by)
        assert one.simulated_time == other.simulated_time
        assert np.allclose(one.scores, other.scores, atol=1e-6)
        assert np.array_equal(one.activity.spikes, other.activity.spikes)


def test_what_is_no_stream_of_events_is_refused_and_changes_nothing(simulator):
    stream = EventStream(simulator)
    for wrong in (events('left', 5)[:, :3], events('left', 5).astype(float), np.uint8(3)):
        with pytest.raises(ValueError, match='counts of events must'):
            stream.advance(wrong)
    assert stream.state.steps == 0
    assert stream.advance(events('left', 0)) == []
    with pytest.raises(ValueError, match='takes images, not the events of a sensor'):
        EventStream(create_simulator(random_model(), 'reference'))


@pytest.mark.parametrize('backend', ['torch', 'rate', 'reference'])
def test_every_engine_decides_on_events(backend):
    model = event_model(1)
    model = dataclasses.replace(model, readout=Readout(0.02))
    simulator = create_simulator(model, backend)
    decision = simulator.classify_events(random_events(model, 40)[:, 0])
    assert decision.simulated_time == 0.02
    assert decision.label in model.labels


def test_a_stream_tells_which_spikes_led_to_each_decision(simulator):
    counts = events('left', 150)
    stream = EventStream(simulator)
    decisions, records = [], []
    # In parts, as packets come.
    for first in range(0, 150, 7):
        decisions += stream.advance(counts[first : first + 7], 5)
        records += stream.records
    assert len(decisions) == len(records) > 2
    for decision, record in zip(decisions, records, strict=True):
        assert record.steps[-1] == round(decision.simulated_time / 0.001)
        assert 0 < np.diff(record.steps, prepend=0).max() <= 5
        assert np.array_equal(record.spikes.sum(axis=0)[0], decision.activity.spikes)


def test_looking_at_the_spikes_of_a_stream_changes_no_decision(simulator):
    counts = events('left', 150)
    watched, unwatched = (EventStream(simulator).advance(counts, longest) for longest in (3, None))
    assert [each.simulated_time for each in watched] == [each.simulated_time for each in unwatched]
    for one, other in zip(watched, unwatched, strict=True):
        assert np.array_equal(one.scores, other.scores)


def test_a_stream_says_how_unknown_what_it_saw_is():
    stream = EventStream(create_simulator(event_sides.with_unknown_score(), 'reference'))
    known = stream.advance(events('left', 200))
    assert all(decision.unknown_score < 1 for decision in known)
    stream.reset()
    unknown = stream.advance(events('left', 200) + events('right', 200, seed=1))
    assert unknown
    assert all(decision.is_unknown for decision in unknown)
