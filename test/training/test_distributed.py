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

"""Processes of their own, as torchrun starts them, of which every wait has a time-out."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import nullcontext
from dataclasses import replace

import cv2
import pytest
import torch
import yaml
from safetensors import safe_open
from tiny_training import CONTENT, tiny_dataset, tiny_recipe

from snn_perception import load_model
from snn_perception.commands import train
from snn_perception.datasets import DatasetError
from snn_perception.training import distributed, pipeline
from snn_perception.training.loop import Trainer
from snn_perception.training.parallel import SMALLEST_PART, check_batch
from snn_perception.training.recipe import RecipeError

TIMEOUT = 200.0
"""Seconds after which a test gives up; ten are enough on an idle machine."""
FORKS = multiprocessing.get_context('forkserver')
FORKS.set_forkserver_preload(['snn_perception.training.pipeline'])  # once for all, in seconds
PROCESS = """
import os
import sys
from snn_perception.commands import train
os.environ.update(variables)
sys.stderr = open(messages, 'w')
sys.exit(train.main(arguments))
"""
STAGES = ('rates', 'spikes')
STOP = 13
"""The step of its first stage after which a run is interrupted, within the second epoch."""


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    """A folder with the recipe and the data."""
    folder = tmp_path_factory.mktemp('distributed')
    write_recipe(folder / 'tiny.yaml')
    dataset = tiny_dataset()
    for index, (image, label) in enumerate(zip(dataset.images, dataset.labels, strict=True)):
        path = folder / 'data' / dataset.class_names[label] / f'{index:03}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), image)
    return folder


def write_recipe(path, **optimisation):
    optimisation = {**CONTENT['optimisation'], **optimisation}
    path.write_text(yaml.safe_dump({**CONTENT, 'optimisation': optimisation}))


@pytest.fixture(scope='module')
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope='module')
def alone(place, two_threads):
    """What one process with two threads writes."""
    assert train.main(arguments(place, 'tiny', 'alone')) == 0
    return place / 'alone'


@pytest.fixture(scope='module')
def under_torchrun(place):
    """What two processes with one thread each write, and the finished process of torchrun."""
    launcher = ['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2', '-m']
    command = [sys.executable, *launcher, 'snn_perception', 'train']
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [*command, *arguments(place, 'tiny', 'together')],
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': paths},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert done.returncode == 0, done.stderr
    return place / 'together', done


def arguments(place, recipe, output):
    return [
        str(place / f'{recipe}.yaml'),
        *('--data', str(place / 'data')),
        *('--output', str(place / output)),
        *('--device', 'cpu'),
    ]


@pytest.fixture
def start(tmp_path):
    """Starts one process or two, these as torchrun does, but nobody stops one for the other.

    Each comes with the file of its messages.
    """
    started = []

    def start_all(arguments, count=2):
        with socket.create_server(('127.0.0.1', 0)) as server:
            address = {'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': str(server.getsockname()[1])}
        for number in map(str, range(count)):
            place = {'RANK': number, 'LOCAL_RANK': number, 'WORLD_SIZE': str(count)}
            names = {
                'variables': {**place, **address} if count > 1 else {},
                'messages': tmp_path / f'{number}.txt',
                'arguments': arguments,
            }
            process = FORKS.Process(target=exec, args=(PROCESS, names))
            process.start()
            started.append((process, names['messages']))
        return started

    yield start_all
    for process, _ in started:
        process.kill()
        process.join(TIMEOUT)


def read(output, stage):
    """Tensors and progress in the checkpoint of `stage`."""
    with safe_open(output / 'checkpoints' / f'{stage}.safetensors', framework='pt') as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return tensors, json.loads(file.metadata()['progress'])


def assert_the_same_training(output, expected):
    """Losses of all epochs to 1e-5 of theirs, weights and optimisers to 1e-4."""
    for stage in STAGES:
        tensors, progress = read(output, stage)
        expected_tensors, expected_progress = read(expected, stage)
        rows, expected_rows = progress['history'], expected_progress['history']
        assert len(rows) == len(expected_rows)
        for row, expected_row in zip(rows, expected_rows, strict=True):
            for figure in ('loss', 'validation_accuracy', 'firing_rate_hz', 'learning_rate'):
                assert row[figure] == pytest.approx(expected_row[figure], rel=1e-5)
        assert tensors.keys() == expected_tensors.keys()
        for name, tensor in tensors.items():
            assert torch.allclose(tensor, expected_tensors[name], rtol=1e-4, atol=1e-5), name


@pytest.mark.slow
def test_two_processes_train_as_two_threads_do(under_torchrun, alone):
    together, _ = under_torchrun
    assert_the_same_training(together, alone)
    model, expected = load_model(together), load_model(alone)
    for weights, others in zip(model.weights, expected.weights, strict=True):
        assert weights.kernel == pytest.approx(others.kernel, rel=1e-4, abs=1e-5)
        assert weights.bias == pytest.approx(others.bias, rel=1e-4, abs=1e-5)


@pytest.mark.slow
def test_only_the_first_process_writes(under_torchrun, alone):
    together, done = under_torchrun
    for text in ((together / 'training.log').read_text(), done.stderr):
        for line in ('320 training and 80', 'rates: epoch 3 of 3', 'spikes: epoch 1 of 1'):
            assert text.count(line) == 1
    names = sorted(path.relative_to(together) for path in together.rglob('*'))
    assert names == sorted(path.relative_to(alone) for path in alone.rglob('*'))


@pytest.mark.slow
def test_two_processes_continue_what_one_began(place, alone, start, two_threads):
    real_step = Trainer._step

    def step(trainer, parallel):
        if trainer.progress.step == STOP - 1:
            signal.raise_signal(signal.SIGINT)
        return real_step(trainer, parallel)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, '_step', step)
        assert train.main(arguments(place, 'tiny', 'begun')) == 128 + signal.SIGINT
    for process, messages in start(arguments(place, 'tiny', 'begun')):
        process.join(TIMEOUT)
        assert process.exitcode == 0, messages.read_text()
    assert f'rates: resumed at step {STOP} of' in (place / 'begun/training.log').read_text()
    assert_the_same_training(place / 'begun', alone)


@pytest.mark.slow
def test_a_loss_that_is_not_finite_stops_all_processes(place, start):
    write_recipe(place / 'wild.yaml', learning_rate=1e30, precision='bfloat16')
    first, second = start(arguments(place, 'wild', 'wild'))
    for (process, messages), name in ((first, 'train'), (second, 'train, process 1')):
        process.join(TIMEOUT)
        assert process.exitcode == 1
        assert messages.read_text().splitlines()[-1].startswith(f'{name}: the loss is not finite')


@pytest.mark.slow
def test_a_process_that_dies_does_not_leave_the_other_waiting(place, start):
    write_recipe(place / 'long.yaml', epochs=100_000)
    (first, messages), (second, _) = start(arguments(place, 'long', 'long'))
    wait_for(place / 'long/training.log', 'epoch 1 of')
    second.kill()
    first.join(TIMEOUT)
    assert first.exitcode == 1
    last_line = messages.read_text().splitlines()[-1]
    assert last_line.startswith('train: process 0 of 2 lost the others')


@pytest.mark.slow
def test_a_process_that_is_interrupted_saves_what_it_has_done(place, start):
    write_recipe(place / 'long.yaml', epochs=100_000)
    [(process, messages)] = start(arguments(place, 'long', 'interrupted'), count=1)
    log = place / 'interrupted/training.log'
    wait_for(log, 'epoch 2 of')
    os.kill(process.pid, signal.SIGINT)
    process.join(TIMEOUT)
    assert process.exitcode == 128 + signal.SIGINT
    text = messages.read_text()
    assert text.splitlines()[-1] == 'train: interrupted; the same command resumes'
    assert 'Traceback' not in text
    done = read(place / 'interrupted', 'rates')[1]['step']
    assert done >= 20
    assert f'rates: interrupted at step {done}; a checkpoint is written' in log.read_text()


@pytest.mark.slow
def test_two_processes_stop_at_the_same_step_if_one_is_interrupted(place, start):
    write_recipe(place / 'long.yaml', epochs=100_000)
    (first, messages), (second, others) = start(arguments(place, 'long', 'both'))
    log = place / 'both/training.log'
    wait_for(log, 'epoch 2 of')
    os.kill(second.pid, signal.SIGTERM)
    for process, number in ((first, signal.SIGINT), (second, signal.SIGTERM)):
        process.join(TIMEOUT)
        assert process.exitcode == 128 + number
    for text in (messages.read_text(), others.read_text()):
        assert text.splitlines()[-1].startswith('train: interrupted')
    done = read(place / 'both', 'rates')[1]['step']
    assert done >= 20
    assert f'rates: interrupted at step {done}' in log.read_text()


def wait_for(path, line):
    end = time.monotonic() + TIMEOUT
    while not (path.exists() and line in path.read_text()):
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.fixture
def second_of_three(monkeypatch):
    """This process as torchrun would start it; what the others say is for the test to patch."""
    for name, value in {'RANK': '1', 'LOCAL_RANK': '1', 'WORLD_SIZE': '3'}.items():
        monkeypatch.setenv(name, value)


def test_a_process_that_torchrun_did_not_start_is_alone(tmp_path, monkeypatch):
    monkeypatch.setenv('RANK', '1')
    monkeypatch.setenv('WORLD_SIZE', '3')
    assert (distributed.rank(), distributed.count(), distributed.leads()) == (0, 1, True)
    with distributed.together('cuda:1') as device:
        assert device == 'cuda:1'
        assert not torch.distributed.is_initialized()
    assert distributed.gather('mine') == ['mine']
    assert list(distributed.own_share(range(4))) == [0, 1, 2, 3]
    assert not distributed.is_there(tmp_path / 'none')


@pytest.mark.usefixtures('second_of_three')
def test_shares_are_in_the_order_of_the_processes(monkeypatch):
    assert not distributed.leads()
    shares = []
    for number in ('0', '1', '2'):
        monkeypatch.setenv('RANK', number)
        shares.append(list(distributed.own_share(range(8))))
    assert shares == [[0, 1], [2, 3, 4], [5, 6, 7]]


@pytest.mark.usefixtures('second_of_three')
def test_a_batch_too_small_for_the_processes_is_refused():
    check_batch(3 * SMALLEST_PART)
    with pytest.raises(RecipeError, match='batch_size 47 is too small for 3 processes'):
        check_batch(3 * SMALLEST_PART - 1)


@pytest.mark.usefixtures('second_of_three')
def test_a_checkpoint_that_a_process_does_not_see_is_refused(tmp_path, monkeypatch):
    path = tmp_path / 'rates.safetensors'
    path.write_bytes(b'weights')
    monkeypatch.setattr(distributed, 'gather', lambda mine: [mine, mine, mine])
    assert distributed.is_there(path)
    for other in ('', 'of another file'):
        monkeypatch.setattr(distributed, 'gather', lambda mine, other=other: [mine, mine, other])
        with pytest.raises(OSError, match=r'process 2 does not see the .*rates'):
            distributed.is_there(path)


@pytest.mark.usefixtures('second_of_three')
def test_processes_with_other_data_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(distributed, 'together', lambda device: nullcontext('cpu'))
    monkeypatch.setattr(distributed, 'gather', lambda mine: [mine, mine, 'of another folder'])
    optimisation = {'epochs': 1, 'batch_size': 3 * SMALLEST_PART}
    recipe = replace(tiny_recipe(optimisation=optimisation), fine_tuning=None)
    with pytest.raises(DatasetError, match='process 2 has read other data than process 1'):
        pipeline.train(recipe, tiny_dataset(), tmp_path)


@pytest.mark.usefixtures('second_of_three')
def test_processes_with_another_recipe_are_refused(tmp_path, monkeypatch):
    optimisation = {'epochs': 1, 'batch_size': 3 * SMALLEST_PART}
    recipe = replace(tiny_recipe(optimisation=optimisation), fine_tuning=None)
    other = replace(recipe, noise=replace(recipe.noise, deviation=11))

    def gather(mine):
        return [mine, mine, repr(other) if mine == repr(recipe) else mine]

    monkeypatch.setattr(distributed, 'together', lambda device: nullcontext('cpu'))
    monkeypatch.setattr(distributed, 'gather', gather)
    with pytest.raises(RecipeError, match='process 2 has read another recipe than process 1'):
        pipeline.train(recipe, tiny_dataset(), tmp_path)


@pytest.mark.usefixtures('second_of_three')
def test_a_process_without_a_gpu_of_its_own_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 1)
    with (
        pytest.raises(ValueError, match='process 1 has no GPU of its own, this machine has 1'),
        distributed.together('cuda'),
    ):
        pass
