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

import colour_model
import numpy as np
import pytest
from sysfs_tree import ina226

from snn_perception import create_simulator
from snn_perception.decision import Interrupted
from snn_perception.energy import chip_names
from snn_perception.model import save_model
from snn_perception.nodes.parameters import ClassifierParameters
from snn_perception.nodes.recognition import Recognizer
from snn_perception.power import PowerMeter, find_meter

SECOND = 1_000_000_000
PARAMETERS = ClassifierParameters(backend='reference')


def recognizer(mode: str = 'frame') -> Recognizer:
    return Recognizer(create_simulator(colour_model.build(), 'reference'), mode, PowerMeter())


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


def answer(
    seer: Recognizer,
    pixels: np.ndarray,
    stamp: float = 0.0,
    parameters: ClassifierParameters = PARAMETERS,
):
    frame = seer.receive(message(pixels, stamp), parameters)
    return seer.decide(seer.read(frame, parameters), frame.arrival, parameters, lambda: False)


@pytest.mark.parametrize('colour', colour_model.LABELS)
def test_frame_is_given_its_label_with_what_it_cost(colour: str) -> None:
    result = answer(recognizer(), colour_model.image(colour))
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
    seer = Recognizer(simulator, 'frame', find_meter(simulator.device, tmp_path))
    measured = answer(seer, colour_model.image('red')).power
    assert measured.watts == pytest.approx(18.0)
    assert measured.source == 'ina'
    seer.close()
    assert answer(seer, colour_model.image('red')).power.source == 'unavailable'


def test_frames_do_not_depend_on_each_other_in_frame_mode() -> None:
    seer = recognizer()
    alone = answer(seer, colour_model.image('red'))
    answer(seer, colour_model.image('blue'))
    again = answer(seer, colour_model.image('red'))
    np.testing.assert_array_equal(alone.decision.scores, again.decision.scores)


def test_stream_goes_on_where_the_last_frame_ended() -> None:
    seer = recognizer('stream')
    simulator = create_simulator(colour_model.build(), 'reference')
    state = simulator.reset()
    small = colour_model.image('red', colour_model.SIZE, colour_model.SIZE)
    for stamp, duration in ((5.0, 0.03), (5.02, 0.02), (5.06, 0.04)):
        expected = simulator.classify(small, state, duration)
        result = answer(seer, colour_model.image('red'), stamp)
        assert result.decision.simulated_time == pytest.approx(duration)
        np.testing.assert_array_equal(result.decision.activity.spikes, expected.activity.spikes)
        assert result.restart == ''


def test_stream_whose_time_jumps_begins_again_and_says_why() -> None:
    seer = recognizer('stream')
    first = answer(seer, colour_model.image('red'), 5.0)
    answer(seer, colour_model.image('red'), 5.02)
    back = answer(seer, colour_model.image('red'), 1.0)
    assert 'before the last' in back.restart
    np.testing.assert_array_equal(back.decision.scores, first.decision.scores)


def test_stream_skips_what_it_missed_beyond_the_presentation_time() -> None:
    seer = recognizer('stream')
    answer(seer, colour_model.image('red'), 5.0)
    for frame in range(1, 100):
        seer.receive(message(colour_model.image('red'), 5.0 + 0.02 * frame), PARAMETERS)
    late = answer(seer, colour_model.image('red'), 7.0)
    assert late.decision.simulated_time == pytest.approx(0.03)
    assert late.skipped == pytest.approx(1.97)
    assert late.restart == ''


def test_frame_that_is_refused_is_made_up_for() -> None:
    seer = recognizer('stream')
    answer(seer, colour_model.image('red'), 5.0)
    bad = message(colour_model.image('red'), 5.2)
    bad.step = 0
    frame = seer.receive(bad, PARAMETERS)
    with pytest.raises(ValueError, match='step is 0 bytes'):
        seer.read(frame, PARAMETERS)
    late = answer(seer, colour_model.image('red'), 5.4)
    assert (late.decision.simulated_time, late.skipped) == (pytest.approx(0.4), 0.0)


def test_reset_begins_a_stream_again() -> None:
    seer = recognizer('stream')
    first = answer(seer, colour_model.image('red'), 5.0)
    seer.reset()
    again = answer(seer, colour_model.image('red', 48, 64), 5.02)
    np.testing.assert_array_equal(again.decision.scores, first.decision.scores)
    assert again.restart == ''


def test_presentation_time_replaces_that_of_the_model() -> None:
    longer = replace(PARAMETERS, presentation_time=0.05)
    for mode in ('frame', 'stream'):
        result = answer(recognizer(mode), colour_model.image('red'), 1.0, longer)
        assert result.decision.simulated_time == pytest.approx(0.05)


def test_invert_swaps_light_and_dark() -> None:
    cyan = 255 - colour_model.image('red')
    result = answer(recognizer(), cyan, parameters=replace(PARAMETERS, invert=True))
    assert result.decision.label == 'red'


def test_fit_decides_what_of_the_image_the_network_sees() -> None:
    pixels = colour_model.image('red', 32, 96)
    pixels[:, :32] = pixels[:, 64:] = colour_model.COLOURS['blue']
    seer = recognizer()
    for fit, label in (('model', 'red'), ('crop', 'red'), ('stretch', 'blue')):
        result = answer(seer, pixels, parameters=replace(PARAMETERS, fit=fit))
        assert result.decision.label == label


def test_stop_interrupts_a_decision() -> None:
    seer = recognizer()
    frame = seer.receive(message(colour_model.image('red')), PARAMETERS)
    pixels = seer.read(frame, PARAMETERS)
    with pytest.raises(Interrupted):
        seer.decide(pixels, frame.arrival, PARAMETERS, lambda: True)


def test_recognizer_is_loaded_as_the_parameters_say(tmp_path: Path) -> None:
    folder = colour_model.save(tmp_path / 'colours')
    loaded = Recognizer.load(replace(PARAMETERS, model=str(folder)), lambda: False)
    assert loaded.engine == 'reference on cpu'
    assert answer(loaded, colour_model.image('green')).decision.label == 'green'


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


def test_stream_keeps_pace_with_the_video_even_if_the_model_decides_early(
    tmp_path: Path,
) -> None:
    model = colour_model.build()
    hasty = replace(
        model, readout=replace(model.readout, confidence_threshold=0.4, decision_interval=0.005)
    )
    save_model(hasty, tmp_path / 'hasty')
    durations = {}
    for mode in ('frame', 'stream'):
        parameters = replace(PARAMETERS, model=str(tmp_path / 'hasty'), mode=mode)
        seer = Recognizer.load(parameters, lambda: False)
        answer(seer, colour_model.image('red'), 1.0, parameters)
        later = answer(seer, colour_model.image('red'), 1.1, parameters)
        durations[mode] = later.decision.simulated_time
    assert durations['stream'] == pytest.approx(0.1)
    assert durations['frame'] < 0.03


def test_loading_can_be_interrupted(tmp_path: Path) -> None:
    folder = colour_model.save(tmp_path / 'colours')
    with pytest.raises(Interrupted):
        Recognizer.load(replace(PARAMETERS, model=str(folder)), lambda: True)
