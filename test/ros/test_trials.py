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

"""`benchmark --ros` and `--soak`: what they say is so, and they notice what is wrong."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import colour_model
import cv2
import numpy as np
import psutil
import pytest
from rcl_interfaces.msg import ParameterType, ParameterValue

from snn_perception.nodes.trials import bench, soak, speed
from snn_perception.nodes.trials.bench import Bench, Trouble
from snn_perception.nodes.trials.observer import Answer, Observer
from snn_perception.nodes.trials.processes import Sample, own_domain

PATIENCE = 120
"""Seconds."""


@pytest.fixture(scope='module')
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of images per class, as --data takes it."""
    folder = tmp_path_factory.mktemp('colours')
    for colour in colour_model.LABELS:
        (folder / colour).mkdir()
        cv2.imwrite(str(folder / colour / '1.png'), colour_model.image(colour)[..., ::-1])
    return folder


def benchmark(model: Path, images: Path, *arguments: str) -> subprocess.Popen:
    command = [sys.executable, '-m', 'snn_perception', 'benchmark', str(model)]
    options = ['--backend', 'reference', '--data', str(images), *arguments]
    return subprocess.Popen(
        command + options, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def classifiers(parent: psutil.Process) -> list[psutil.Process]:
    """The children of `parent` that are classifiers by now."""
    return [child for child in parent.children() if 'classifier' in child.cmdline()]


@pytest.mark.slow
def test_the_figures_of_the_node_are_those_of_its_frames(
    model_folder: Path, images: Path, tmp_path: Path
) -> None:
    target = tmp_path / 'figures.json'
    arguments = ('--rate', '20', '--seconds', '2', '--size', '64x48', '--json', str(target))
    process = benchmark(model_folder, images, '--ros', *arguments)
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    figures = json.loads(target.read_text())
    assert figures['frames'] == 40
    assert figures['answered'] + figures['dropped'] + figures['lost'] == 40
    assert figures['answered'] > 0
    assert 0 < figures['overhead_ms_median'] < figures['latency_ms_median']
    assert figures['latency_ms_median'] <= figures['latency_ms_p99']
    assert figures['idle_memory_mb'] > 50
    assert figures['memory_mb'] > 50
    assert 0 <= figures['idle_cpu_percent'] < figures['cpu_percent']
    assert 0 < figures['startup_s'] < PATIENCE
    assert 'latency_ms_p99' in output


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_benchmark_with_all_that_it_started(
    model_folder: Path, images: Path, number: int
) -> None:
    process = benchmark(model_folder, images, '--ros', '--seconds', '600')
    parent, end = psutil.Process(process.pid), time.monotonic() + PATIENCE
    # A child that has not become the classifier yet is still being made by its parent.
    while not (children := classifiers(parent)) and time.monotonic() < end:
        time.sleep(0.01)
    assert children
    process.send_signal(number)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert 'Traceback' not in errors
    assert not psutil.wait_procs(children, timeout=10)[1]


def test_a_classifier_that_cannot_start_is_quoted(model_folder: Path, images: Path) -> None:
    process = benchmark(model_folder, images, '--ros', '--device', 'toaster')
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "unknown device 'toaster'" in errors


def test_latencies_are_medians_with_what_the_network_and_the_deadline_had_in_them() -> None:
    answers = [
        Answer(stamp, stamp + 1_000_000 * ms, 'a') for stamp, ms in ((1, 9), (2, 5), (3, 7))
    ]
    times = {'waiting_ms': '0.25', 'reading_ms': '0.125'}
    said = {**times, 'network_ms': '4', 'processing_ms': '4.5', 'stopped_by': 'deadline'}
    statistics = {1: said, 2: said, 3: {**said, 'stopped_by': 'time'}}
    figures = speed.times(answers, statistics)
    assert figures['latency_ms_median'] == pytest.approx(7)
    assert figures['latency_ms_max'] == pytest.approx(9)
    assert figures['overhead_ms_median'] == pytest.approx(0.75)
    assert figures['middleware_ms_median'] == pytest.approx(2.25)
    assert figures['stopped_by'] == pytest.approx({'deadline': 2 / 3, 'time': 1 / 3})


def test_frames_have_the_size_asked_for_and_fit_into_memory() -> None:
    grey = np.full((5, 8, 8, 1), 200, np.uint8)
    frames = speed.frames_of(grey, 16, 12)
    assert frames.shape == (5, 12, 16, 3)
    assert frames[0, 6, 8].tolist() == [200, 200, 200]
    assert len(speed.frames_of(grey, 7680, 4320)) == 2


@pytest.fixture(scope='module')
def shared_bench(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    pictures = np.stack([colour_model.image(colour) for colour in colour_model.LABELS])
    parameters = {'model': str(model_folder), 'backend': 'reference'}
    folder = tmp_path_factory.mktemp('bench')
    with own_domain(), Observer() as observer:
        made = Bench(observer, parameters, pictures, folder, random.Random(0))
        yield made
        made.close()


@pytest.fixture
def good_bench(shared_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A bench on which all is well, and which soon loses its patience."""
    monkeypatch.setattr(bench, 'LIMIT', 5.0)
    shared_bench.check()
    monkeypatch.setattr(bench, 'LIMIT', 1.0)
    yield shared_bench
    monkeypatch.undo()
    if not shared_bench.program.is_running:
        shared_bench.restart()


def test_wrong_answers_are_noticed_and_put_right(good_bench: Bench) -> None:
    kind = ParameterType.PARAMETER_BOOL
    good_bench.set(invert=ParameterValue(type=kind, bool_value=True))
    with pytest.raises(Trouble, match=r"a good frame was called '.*', not '"):
        good_bench.check()
    good_bench.restore()
    assert good_bench.check() < 1


def test_a_node_that_does_not_answer_is_noticed(good_bench: Bench) -> None:
    good_bench.program.process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(Trouble, match='good frames are not answered within 1 s'):
            good_bench.check()
        with pytest.raises(Trouble, match='did not answer within 1 s'):
            good_bench.names()
    finally:
        good_bench.program.process.send_signal(signal.SIGCONT)


def test_a_node_that_was_left_inactive_is_brought_back(good_bench: Bench) -> None:
    for transition in (4, 2):
        assert good_bench.change(transition)
    assert good_bench.observer.state() == 'unconfigured'
    good_bench.restore()
    assert good_bench.observer.state() == 'active'


def test_a_process_that_ends_is_noticed_with_its_status(good_bench: Bench) -> None:
    good_bench.program.process.kill()
    good_bench.program.wait(5)
    with pytest.raises(Trouble, match='the process ended with status -9'):
        good_bench.check()
    with pytest.raises(Trouble, match='the process ended with status -9'):
        good_bench.names()


def samples(memory: Any) -> list[Sample]:
    return [Sample(60.0 * minute, 0, memory(minute), 9, 20) for minute in range(60)]


def test_a_leak_is_a_failure_and_is_told_per_hour() -> None:
    log = soak.Log(samples(lambda minute: 200.0 + 2 * minute))
    figures = soak.figures_of(log, [], 0.0)
    assert figures['memory_mb_growth_per_hour'] == pytest.approx(120)
    assert figures['verdict'] == '1 failure'
    assert figures['failures'][0]['trouble'] == 'memory_mb grew by 60.0'


def test_growth_in_a_short_life_is_no_failure_yet() -> None:
    short = [
        replace(one, time=one.time / 60) for one in samples(lambda minute: 200.0 + 2 * minute)
    ]
    assert soak.figures_of(soak.Log(short), [], 0.0)['verdict'] == 'passed'


def test_memory_that_comes_and_goes_is_no_failure() -> None:
    figures = soak.figures_of(soak.Log(samples(lambda minute: 200.0 + 90 * (minute % 2))), [], 0.0)
    assert figures['verdict'] == 'passed'
    assert figures['memory_mb_max'] == 290


@pytest.mark.slow
def test_a_node_survives_a_soak(model_folder: Path, images: Path, tmp_path: Path) -> None:
    files = tmp_path / 'figures.json', tmp_path / 'course.png'
    arguments = ('--json', str(files[0]), '--picture', str(files[1]))
    process = benchmark(model_folder, images, '--soak', '0.5', *arguments)
    output, errors = process.communicate(timeout=2 * PATIENCE)
    assert process.returncode == 0, output + errors
    figures = json.loads(files[0].read_text())
    assert figures['verdict'] == 'passed'
    assert figures['faults'] > 20
    assert cv2.imread(str(files[1])).std() > 0
