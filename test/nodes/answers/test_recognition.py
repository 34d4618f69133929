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

"""Messages to answers, with a real model on the reference engine."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import colour_model
import numpy as np
import pytest
from random_models import turn_taking_model
from sysfs_tree import ina226

from snn_perception import create_simulator
from snn_perception.decision import Interrupted
from snn_perception.energy import chip_names
from snn_perception.nodes.answers.recognition import Answer, Recognizer
from snn_perception.nodes.frames.camera_memory import CameraMemory, Frame
from snn_perception.nodes.parameters.classifier_parameters import ClassifierParameters
from snn_perception.power import PowerMeter, find_meter

SECOND = 1_000_000_000
NOW = 1000 * SECOND
PARAMETERS = ClassifierParameters(backend='reference')
STREAM = replace(PARAMETERS, mode='stream')
RED = colour_model.image('red')


class Seer:
    """A recognizer and the memory of one camera."""

    def __init__(self, recognizer: Recognizer) -> None:
        self.recognizer = recognizer
        self.memory = CameraMemory()

    def receive(self, image: SimpleNamespace, parameters: ClassifierParameters) -> Frame:
        return self.memory.receive(image, NOW, parameters.stream_gap)

    def answer(
        self,
        pixels: np.ndarray,
        stamp: float = 0.0,
        parameters: ClassifierParameters = PARAMETERS,
        **options: Any,
    ) -> Answer:
        frame = self.receive(message(pixels, stamp), parameters)
        sight = self.recognizer.look(frame, self.memory, parameters)
        (answer,) = self.recognizer.decide([sight], parameters, lambda: False, **options)
        return answer


def seer() -> Seer:
    return Seer(Recognizer(create_simulator(colour_model.build(), 'reference'), PowerMeter()))


def message(pixels: np.ndarray, stamp: float = 0.0) -> SimpleNamespace:
    return SimpleNamespace(
        height=pixels.shape[0],
        width=pixels.shape[1],
        encoding='rgb8',
        is_bigendian=0,
        step=3 * pixels.shape[1],
        data=pixels.tobytes(),
        header=SimpleNamespace(stamp=SimpleNamespace(sec=0, nanosec=round(stamp * SECOND))),
    )


@pytest.mark.parametrize('colour', colour_model.LABELS)
def test_frame_is_given_its_label_with_what_it_cost(colour: str) -> None:
    result = seer().answer(colour_model.image(colour))
    assert result.decision.label == colour
    assert result.decision.simulated_time == pytest.approx(0.03)
    assert set(result.energies) == set(chip_names())
    assert min(result.energies.values()) > 0
    assert result.network_time > 0
    assert math.isnan(result.power.watts)
    assert result.power.source == 'unavailable'


def test_answer_tells_what_the_host_drew_meanwhile(tmp_path: Path) -> None:
    ina226(tmp_path, 0, 12_000, 1_500)
    simulator = create_simulator(colour_model.build(), 'reference')
    one = Seer(Recognizer(simulator, find_meter(simulator.device, tmp_path)))
    measured = one.answer(RED).power
    assert measured.watts == pytest.approx(18.0)
    assert measured.source == 'ina'
    one.recognizer.close()
    assert one.answer(RED).power.source == 'unavailable'


def test_frames_do_not_depend_on_each_other_in_frame_mode() -> None:
    one = seer()
    alone = one.answer(RED)
    one.answer(colour_model.image('blue'))
    np.testing.assert_array_equal(alone.decision.scores, one.answer(RED).decision.scores)


def test_stream_goes_on_where_the_last_frame_ended() -> None:
    one = seer()
    simulator = create_simulator(colour_model.build(), 'reference')
    state = simulator.reset()
    small = colour_model.image('red', colour_model.SIZE, colour_model.SIZE)
    for stamp, duration in ((5.0, 0.03), (5.02, 0.02), (5.06, 0.04)):
        expected = simulator.classify(small, state, duration)
        result = one.answer(RED, stamp, STREAM)
        assert result.decision.simulated_time == pytest.approx(duration)
        np.testing.assert_array_equal(result.decision.activity.spikes, expected.activity.spikes)
        assert result.restart == ''


def test_stream_whose_time_jumps_begins_again_and_says_why() -> None:
    one = seer()
    first = one.answer(RED, 5.0, STREAM)
    one.answer(RED, 5.02, STREAM)
    back = one.answer(RED, 1.0, STREAM)
    assert 'before the last' in back.restart
    np.testing.assert_array_equal(back.decision.scores, first.decision.scores)


def test_stream_skips_what_it_missed_beyond_the_presentation_time() -> None:
    one = seer()
    one.answer(RED, 5.0, STREAM)
    for frame in range(1, 100):
        one.receive(message(RED, 5.0 + 0.02 * frame), STREAM)
    late = one.answer(RED, 7.0, STREAM)
    assert late.decision.simulated_time == pytest.approx(0.03)
    assert late.skipped == pytest.approx(1.97)
    assert late.restart == ''


def test_frame_that_is_refused_is_made_up_for() -> None:
    one = seer()
    one.answer(RED, 5.0, STREAM)
    bad = message(RED, 5.2)
    bad.step = 0
    with pytest.raises(ValueError, match='step is 0 bytes'):
        one.recognizer.look(one.receive(bad, STREAM), one.memory, STREAM)
    late = one.answer(RED, 5.4, STREAM)
    assert (late.decision.simulated_time, late.skipped) == (pytest.approx(0.4), 0.0)


def test_reset_begins_a_stream_again() -> None:
    one = seer()
    first = one.answer(RED, 5.0, STREAM)
    one.memory.reset()
    again = one.answer(colour_model.image('red', 48, 64), 5.02, STREAM)
    np.testing.assert_array_equal(again.decision.scores, first.decision.scores)
    assert again.restart == ''


def test_stream_begins_at_rest_after_frames_without_memory_and_with_another_model() -> None:
    one = seer()
    first = one.answer(RED, 5.0, STREAM)
    one.answer(RED, 5.02, STREAM)
    one.answer(RED, 5.04)
    again = one.answer(RED, 5.06, STREAM)
    np.testing.assert_array_equal(again.decision.scores, first.decision.scores)
    one.recognizer = seer().recognizer
    other = one.answer(RED, 5.08, STREAM)
    np.testing.assert_array_equal(other.decision.scores, first.decision.scores)


def test_time_of_arrival_stands_in_for_a_stamp_that_is_missing() -> None:
    one = seer()
    durations = []
    for milliseconds in (0, 20, 60):
        now = NOW + milliseconds * SECOND // 1000
        frame = one.memory.receive(message(RED), now, STREAM.stream_gap)
        assert not frame.has_stamp
        sight = one.recognizer.look(frame, one.memory, STREAM)
        (answer,) = one.recognizer.decide([sight], STREAM, lambda: False)
        assert answer.restart == ''
        durations.append(answer.decision.simulated_time)
    assert durations == pytest.approx([0.03, 0.02, 0.04])


def test_label_of_a_video_that_changes_follows_within_the_time_of_a_presentation() -> None:
    one = seer()
    frames = ['red'] * 5 + ['blue'] * 5
    labels = [
        one.answer(colour_model.image(colour), 5 + 0.02 * index, STREAM).decision.label
        for index, colour in enumerate(frames)
    ]
    assert labels[:5] == ['red'] * 5
    assert labels[-3:] == ['blue'] * 3


@pytest.mark.parametrize('is_batched', [False, True])
@pytest.mark.parametrize('parameters', [PARAMETERS, STREAM], ids=lambda one: one.mode)
def test_cameras_seen_together_are_answered_as_if_each_were_alone(
    parameters: ClassifierParameters, is_batched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    together, alone = seer().recognizer, [seer() for _ in colour_model.LABELS]
    monkeypatch.setattr(together.simulator, 'gains_by_batches', is_batched)
    memories = [CameraMemory() for _ in colour_model.LABELS]
    for stamp in (5.0, 5.02, 5.05):
        sights, expected = [], []
        for colour, memory, one in zip(colour_model.LABELS, memories, alone, strict=True):
            pixels = colour_model.image(colour)
            frame = memory.receive(message(pixels, stamp), NOW, parameters.stream_gap)
            sights.append(together.look(frame, memory, parameters))
            expected.append(one.answer(pixels, stamp, parameters).decision)
        answers = together.decide(sights, parameters, lambda: False)
        for found, own in zip(answers, expected, strict=True):
            np.testing.assert_array_equal(found.decision.scores, own.scores)
            np.testing.assert_array_equal(found.decision.activity.spikes, own.activity.spikes)


def test_presentation_time_replaces_that_of_the_model() -> None:
    for parameters in (PARAMETERS, STREAM):
        longer = replace(parameters, presentation_time=0.05)
        result = seer().answer(RED, 1.0, longer)
        assert result.decision.simulated_time == pytest.approx(0.05)


def test_presentation_time_in_which_the_output_means_nothing_is_refused() -> None:
    model = colour_model.build()
    late = replace(model, readout=replace(model.readout, start_time=0.02))
    recognizer = Recognizer(create_simulator(late, 'reference'), PowerMeter())
    shortest = late.shortest_presentation_time
    for time in (0.0, shortest, 1.0):
        recognizer.require(replace(PARAMETERS, presentation_time=time))
    with pytest.raises(ValueError, match=f'presentation_time must be at least {shortest:g} s'):
        recognizer.require(replace(PARAMETERS, presentation_time=0.01))


def test_invert_swaps_light_and_dark() -> None:
    cyan = 255 - RED
    result = seer().answer(cyan, parameters=replace(PARAMETERS, invert=True))
    assert result.decision.label == 'red'


def test_fit_decides_what_of_the_image_the_network_sees() -> None:
    pixels = colour_model.image('red', 32, 96)
    pixels[:, :32] = pixels[:, 64:] = colour_model.COLOURS['blue']
    one = seer()
    for fit, label in (('model', 'red'), ('crop', 'red'), ('stretch', 'blue')):
        result = one.answer(pixels, parameters=replace(PARAMETERS, fit=fit))
        assert result.decision.label == label


def test_the_centre_that_a_model_sees_is_for_every_fit_but_pad() -> None:
    model = colour_model.build()
    central = replace(model, input=replace(model.preprocessing, centre=0.25))
    one = Seer(Recognizer(create_simulator(central, 'reference'), PowerMeter()))
    pixels = colour_model.image('blue', 96, 96)
    pixels[36:60, 36:60] = colour_model.COLOURS['red']
    for fit, label in (('model', 'red'), ('stretch', 'red'), ('pad', 'blue')):
        result = one.answer(pixels, parameters=replace(PARAMETERS, fit=fit))
        assert result.decision.label == label


def test_stop_interrupts_a_decision() -> None:
    one = seer()
    sight = one.recognizer.look(one.receive(message(RED), PARAMETERS), one.memory, PARAMETERS)
    with pytest.raises(Interrupted):
        list(one.recognizer.decide([sight], PARAMETERS, lambda: True))


def test_recognizer_is_loaded_as_the_parameters_say(tmp_path: Path) -> None:
    folder = colour_model.save(tmp_path / 'colours')
    loaded = Recognizer.load(replace(PARAMETERS, model=str(folder)), lambda: False)
    assert loaded.engine == 'reference on cpu'
    assert loaded.hardware.startswith('reference on cpu: ')
    assert Seer(loaded).answer(colour_model.image('green')).decision.label == 'green'


@pytest.mark.parametrize(
    ('fields', 'sentence'),
    [
        ({'model': 'no_such_model'}, "model 'no_such_model' is not found"),
        ({'backend': 'abacus'}, "unknown backend 'abacus'"),
        ({'device': 'toaster'}, "unknown device 'toaster'"),
    ],
)
def test_what_cannot_be_loaded_is_named(tmp_path: Path, fields: dict, sentence: str) -> None:
    folder = colour_model.save(tmp_path / 'colours')
    with pytest.raises(ValueError, match=sentence):
        Recognizer.load(replace(PARAMETERS, **{'model': str(folder), **fields}), lambda: False)


def test_stream_keeps_pace_with_the_video_even_if_the_model_decides_early() -> None:
    model = colour_model.build()
    hasty = replace(
        model, readout=replace(model.readout, confidence_threshold=0.4, decision_interval=0.005)
    )
    durations = {}
    for parameters in (PARAMETERS, STREAM):
        one = Seer(Recognizer(create_simulator(hasty, 'reference'), PowerMeter()))
        one.answer(RED, 1.0, parameters)
        later = one.answer(RED, 1.1, parameters)
        durations[parameters.mode] = later.decision.simulated_time
    assert durations['stream'] == pytest.approx(0.1)
    assert durations['frame'] < 0.03


def test_loading_can_be_interrupted(tmp_path: Path) -> None:
    folder = colour_model.save(tmp_path / 'colours')
    with pytest.raises(Interrupted):
        Recognizer.load(replace(PARAMETERS, model=str(folder)), lambda: True)


def test_stream_is_refused_where_layers_take_turns() -> None:
    simulator = create_simulator(turn_taking_model(0), 'reference')
    recognizer = Recognizer(simulator, PowerMeter())
    recognizer.require(PARAMETERS)
    with pytest.raises(ValueError, match=r'mode must be frame with model .*, whose layers take'):
        recognizer.require(STREAM)
