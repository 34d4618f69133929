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

"""`benchmark`: its figures are measured, and mean what they say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from random_models import event_model, random_images, random_model, taking_turns

from snn_perception.backends import create_simulator
from snn_perception.backends.event import EventSimulator
from snn_perception.benchmarking import limit, measure
from snn_perception.commands import benchmark
from snn_perception.layers import Convolution, Dense, Sum
from snn_perception.model_folder import save_model
from snn_perception.neurons import IF, LIF, AdaptiveLIF, Theta


@pytest.fixture
def clock(monkeypatch):
    """What `measure` takes for the time: `now`, in s."""
    clock = SimpleNamespace(now=0.0, perf_counter=lambda: clock.now)
    monkeypatch.setattr(measure, 'time', clock)
    return clock


def after(clock, seconds, method):
    """`method`, each call of which takes the next of `seconds`."""
    seconds = iter(seconds)

    def call(*arguments):
        clock.now += next(seconds)
        return method(*arguments)

    return call


def test_times_and_counts_are_those_of_the_decisions():
    model = random_model()
    simulator = create_simulator(model, 'event')
    images = random_images(model, 1)
    figures = measure.measure_frames(simulator, images, 5)
    (decision,) = simulator.classify_batch(images)
    assert figures['synaptic_operations'] == decision.activity.synaptic_operations.sum()
    assert figures['firing_rate_hz'] == pytest.approx(decision.firing_rate)
    assert 0 < figures['ms_per_frame_median'] <= figures['ms_per_frame_p99']
    assert figures['simulated_time_s'] == pytest.approx(model.presentation_time)
    seconds = 5 * model.presentation_time / figures['real_time_factor']
    assert 1e-3 * figures['ms_per_frame_median'] < seconds
    assert figures['synaptic_operations_per_s'] == pytest.approx(
        5 * figures['synaptic_operations'] / seconds
    )


def test_times_are_those_after_the_warm_up(clock):
    model = random_model()
    simulator = create_simulator(model, 'reference')
    seconds = [90, 90, 90, 1, 2, 10, 4, 3]
    simulator.classify_batch = after(clock, seconds, simulator.classify_batch)
    figures = measure.measure_frames(simulator, random_images(model, 2), 5)
    assert figures['ms_per_frame_median'] == pytest.approx(3000)
    # Of five times it lies 96 % of the way from the second longest to the longest.
    assert figures['ms_per_frame_p99'] == pytest.approx(1000 * (4 + 0.96 * 6))
    assert figures['real_time_factor'] == pytest.approx(5 * model.presentation_time / 20)
    assert figures['synaptic_operations_per_s'] == pytest.approx(
        5 * figures['synaptic_operations'] / 20
    )


def test_frames_per_second_are_those_of_the_median_batch(clock):
    model = random_model(layers=(Dense(3),))
    simulator = create_simulator(model, 'rate')
    simulator.classify_batch = after(clock, [90, 1, 8, 2], simulator.classify_batch)
    assert measure.frames_per_second(simulator, random_images(model, 2), 3) == measure.BATCH / 2


def test_shares_of_the_layers_make_the_whole():
    model = random_model()
    simulator = create_simulator(model, 'event')
    shares = measure.share_per_layer(simulator, random_images(model, 2), 3)
    assert list(shares) == ['0 convolution', '1 convolution', '2 dense', '3 dense']
    assert sum(shares.values()) == pytest.approx(1)
    assert min(shares.values()) > 0
    assert simulator.on_layer is None


def test_shares_are_of_the_medians_over_the_frames(clock):
    simulator = create_simulator(random_model(), 'event')
    frames = iter([(2, 4, 6, 8), (4, 2, 6, 18), (18, 12, 6, 10)])

    def run(state, images, steps):
        seconds = next(frames)
        # In two parts, as the sparse engine runs many steps.
        for index in (0, 1, 2, 3, 0, 1, 2, 3):
            clock.now += seconds[index] / 2
            simulator.layer_done(index)

    simulator.run, simulator.reset = run, after(clock, [100, 100, 100], simulator.reset)
    shares = measure.share_per_layer(simulator, random_images(simulator.model, 2), 3)
    assert list(shares.values()) == pytest.approx([4 / 24, 4 / 24, 6 / 24, 10 / 24])


def test_the_limit_counts_the_blocks_of_all_layers_of_neurons(monkeypatch):
    # 6 channels are one block of 16, 64 are two of 32; the readout is left out.
    model = random_model(layers=(Convolution(6, 1), Dense(64), Dense(3)))
    simulator = EventSimulator(model, threads=2)
    activity = simulator.run(simulator.reset(), random_images(model, 1), 20)
    populations = []

    def seconds_of_a_block(simulator, index, events):
        populations.append((index, events.tolist()))
        return 1e-3

    monkeypatch.setattr(limit, 'seconds_of_a_block', seconds_of_a_block)
    assert limit.limit_ms(simulator, activity) == pytest.approx(20 * (110 + 2) / 2)
    spikes_per_step = activity.spikes[0, 0] / 20
    assert populations == [(0, []), (1, [pytest.approx(spikes_per_step)])]
    assert spikes_per_step > 0


def test_where_layers_take_turns_there_is_no_limit_by_operations():
    model = taking_turns(random_model(), 5)
    simulator = create_simulator(model, 'event')
    assert measure.limit(simulator, random_images(model, 1), 1) == {}


def test_the_limit_counts_what_comes_by_each_link():
    branches = Sum((Convolution(20, 3, padding=1, groups=20), Convolution(20, 1, source='stem')))
    layers = (Convolution(20, 3, name='stem'), Convolution(20, 1), branches, Dense(3))
    simulator = EventSimulator(random_model(layers=layers))
    activity = simulator.run(simulator.reset(), random_images(simulator.model, 1), 20)
    pointwise, depthwise = limit.operations_by_link(simulator, activity, 2)
    # Each spike reaches 20 neurons by rows, and 9 by the kernel of its own channel, less at edges.
    assert pointwise == pytest.approx(activity.spikes[0, 0] * 20, rel=0.05)
    assert pointwise + depthwise == pytest.approx(activity.synaptic_operations[0, 2])
    assert limit.limit_ms(simulator, activity) > 0


def test_the_limit_stands_beside_the_time_of_a_presentation(clock, monkeypatch):
    model = random_model()
    simulator = create_simulator(model, 'event')
    simulator.run = after(clock, [3, 1, 9, 2, 2], simulator.run)
    limits = iter([7, 5, 9])
    monkeypatch.setattr(limit, 'limit_ms', lambda *_: next(limits))
    figures = measure.limit(simulator, random_images(model, 2), 5)
    assert figures == {'ms_per_presentation': pytest.approx(2000), 'ms_of_its_arithmetic': 7}


@pytest.mark.parametrize('backend', ['torch', 'rate', 'reference'])
def test_only_the_sparse_engine_has_a_limit(backend):
    model = random_model()
    simulator = create_simulator(model, backend)
    assert measure.limit(simulator, random_images(model, 1), 1) == {}


def test_starts_are_timed_from_before_numba_is_loaded():
    program = 'import sys, snn_perception.benchmarking.measure; sys.exit("numba" in sys.modules)'
    assert subprocess.run([sys.executable, '-c', program]).returncode == 0


def test_every_precision_that_an_engine_has_is_compared():
    names = {
        name: list(measure.precisions_of(create_simulator(random_model(), name)))
        for name in ('event', 'reference')
    }
    assert names['event'] == ['event float32', 'event bfloat16', 'event int8']
    assert names['reference'] == ['reference']


@pytest.mark.parametrize('rate', measure.RATES)
@pytest.mark.parametrize('neuron', [LIF(), AdaptiveLIF(), IF(), Theta()])
def test_neurons_fire_at_the_rate_asked_for(neuron, rate):
    model = random_model()
    model = replace(model, network=replace(model.network, neuron=neuron))
    model = measure.at_rate(model, rate)
    simulator = create_simulator(model, 'event')
    activity = simulator.run(simulator.reset(1), random_images(model, 1), 2000)
    # At low rates an adaptation falls off between two spikes, and is no mean any more.
    tolerance = 0.2 if isinstance(neuron, AdaptiveLIF) else 0.07
    assert activity.spikes.sum() / model.network.neurons / 2 == pytest.approx(rate, rel=tolerance)


@pytest.mark.slow
def test_the_command_prints_writes_and_draws_its_figures(tmp_path, capsys):
    save_model(random_model(), tmp_path / 'model')
    files = tmp_path / 'figures.json', tmp_path / 'scaling.png'
    arguments = [str(tmp_path / 'model'), '--backend', 'event', '--frames', '2', '--data']
    pictures = tmp_path / 'pictures'
    for label in 'abc':
        (pictures / label).mkdir(parents=True)
        cv2.imwrite(str(pictures / label / '1.png'), np.full((11, 10, 3), 90, np.uint8))
    arguments += [str(pictures), '--json', str(files[0]), '--picture', str(files[1])]
    assert benchmark.main(arguments) == 0
    figures = json.loads(files[0].read_text())
    for key in ('ms_per_frame_median', 'ms_per_frame_p99', 'real_time_factor', 'memory_mb'):
        assert figures[key] > 0
    assert 0 < figures['warm_start_s'] < figures['cold_start_s']
    assert figures['engine'] == 'event on cpu'
    assert list(figures['ms_by_rate_hz']) == [str(rate) for rate in measure.RATES]
    assert 'ms_per_frame_median' in capsys.readouterr().out
    assert cv2.imread(str(files[1])).std() > 0


@pytest.mark.slow
def test_warm_says_what_it_compiles_and_where_that_is_kept(tmp_path):
    save_model(random_model(), tmp_path / 'model')
    command = [sys.executable, '-m', 'snn_perception', 'benchmark', str(tmp_path / 'model')]
    command += ['--warm', '--backend', 'event', '--json', str(tmp_path / 'figures.json')]

    def warm(folder):
        environment = {**os.environ, 'NUMBA_CACHE_DIR': str(folder)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return json.loads((tmp_path / 'figures.json').read_text()), done.stderr

    figures, said = warm(tmp_path / 'cache')
    count = figures['compiled_functions']
    assert count >= 2
    assert 0 < figures['compiling_s'] < figures['seconds']
    assert figures['processor'] in said
    assert len(re.findall(r'compiled \w+ in \d+\.\d s', said)) == count
    assert figures['engine'] == 'event on cpu'
    kept = Path(figures['kept_in'])
    assert kept.is_relative_to(tmp_path / 'cache')
    assert len(list(kept.iterdir())) == count
    figures, said = warm(tmp_path / 'cache')
    assert (figures['compiled_functions'], figures['compiling_s'], said) == (0, 0, '')
    assert figures['kept_in'] == str(kept)
    figures, said = warm(os.devnull)
    assert (figures['compiled_functions'], figures['kept_in']) == (count, 'nowhere')
    assert 'compiled code cannot be kept' in said


@pytest.mark.slow
def test_warm_compiles_the_decoders_of_events_too(tmp_path):
    save_model(event_model(layers=(Dense(5), Dense(3))), tmp_path / 'model')
    command = [sys.executable, '-m', 'snn_perception', 'benchmark', str(tmp_path / 'model')]
    command += ['--warm', '--backend', 'event']
    environment = {**os.environ, 'NUMBA_CACHE_DIR': str(tmp_path / 'cache')}
    warmed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert re.search(r'compiled_functions +[1-9]', warmed.stdout)
    # All that the node needs is there now, whatever the camera sends.
    script = (
        'from snn_perception import create_simulator, load_model\n'
        'from snn_perception.compiled import COMPILATIONS\n'
        'from snn_perception.event_stream import EventStream\n'
        'from snn_perception.events.binning import binned\n'
        'from snn_perception.events.decoding import DECODERS, decoder_for\n'
        f'model = load_model({str(tmp_path / "model")!r})\n'
        'stream = EventStream(create_simulator(model, "event"))\n'
        'state = model.shaping.rest(32, 16)\n'
        'for encoding in DECODERS:\n'
        '    decoded = decoder_for(encoding, 32, 16).decode(bytes(range(256)), 10**9)\n'
        '    events = model.shaping.apply(state, decoded.events)\n'
        '    stream.advance(binned(events, model.dt, 20))\n'
        'print([each.name for each in COMPILATIONS])\n'
    )
    heard = subprocess.run(
        [sys.executable, '-c', script], env=environment, capture_output=True, text=True, check=True
    )
    assert heard.stdout == '[]\n'


def test_what_cannot_be_measured_is_said_in_a_sentence(tmp_path, capsys):
    save_model(event_model(layers=(Dense(3),)), tmp_path / 'events')
    assert benchmark.main([str(tmp_path / 'events')]) == 1
    assert 'model random hears events, and only models of images' in capsys.readouterr().err
    assert benchmark.main(['no_such_model']) == 1
    assert "model 'no_such_model' is not found" in capsys.readouterr().err
