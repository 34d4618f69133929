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

"""The executables in processes of their own: exit status, signals, and talking to each other."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import colour_model
import cv2
import optional
import pytest
from sensor_msgs.msg import Image
from std_msgs.msg import String
from vision_msgs.msg import Classification

PATIENCE = 60
LIMIT = 5.0
"""Seconds that `ros2 launch` waits after its first signal before it sends a sharper one."""

SIGTERM_BIT = 1 << (signal.SIGTERM - 1)


def start(name: str, *arguments: str, **parameters: Any) -> subprocess.Popen:
    """The executable `name` with arguments, or with parameters of its node."""
    if parameters:
        arguments += ('--ros-args',)
        for parameter, value in parameters.items():
            arguments += ('-p', f'{parameter}:={value}')
    return subprocess.Popen(
        [sys.executable, '-m', 'snn_perception', name, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen) -> tuple[int, str]:
    """Exit status of `process`, and all it printed."""
    try:
        output, errors = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    return process.returncode, output + errors


def wait_for_handlers(process: subprocess.Popen) -> None:
    """Return once the process handles SIGTERM: before, Python itself is starting."""
    while process.poll() is None:
        status = Path(f'/proc/{process.pid}/status').read_text()
        caught = next(line for line in status.splitlines() if line.startswith('SigCgt'))
        if int(caught.split()[1], 16) & SIGTERM_BIT:
            return
        time.sleep(0.001)


@pytest.mark.parametrize(
    ('parameters', 'sentence'),
    [
        ({'model': 'no_such_model'}, "model 'no_such_model' is not found"),
        ({'backend': 'abacus'}, "unknown backend 'abacus'"),
        ({'device': 'toaster'}, "unknown device 'toaster'"),
        ({'min_confidence': 1.5}, 'min_confidence must be between 0.0 and 1.0, not 1.5'),
        ({'mode': 'movie'}, "mode must be one of frame, stream, not 'movie'"),
    ],
)
def test_classifier_that_cannot_be_configured_ends_with_a_sentence(
    model_folder: Path, parameters: dict, sentence: str
) -> None:
    values = {'model': model_folder, 'backend': 'reference', **parameters}
    status, output = finish(start('classifier', **values))
    assert status == 1
    assert sentence in output
    assert 'Traceback' not in output


def test_supervised_classifier_lives_on_after_a_failed_configuration(robot: Any) -> None:
    from lifecycle_msgs.msg import Transition
    from lifecycle_msgs.srv import ChangeState

    process = start('classifier', model='no_such_model', autostart=False)
    configure = Transition(id=Transition.TRANSITION_CONFIGURE)
    response = robot.call(ChangeState, '/snn_classifier/change_state', transition=configure)
    assert not response.success
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert finish(process)[0] == 0


@pytest.mark.parametrize(
    ('arguments', 'status', 'sentence'),
    [
        (('--help',), 0, 'autostart (true)'),
        (('--frobnicate',), 2, 'unrecognized arguments: --frobnicate'),
        (('--ros-args', '--params-file', '/no/such/file.yaml'), 1, '/no/such/file.yaml'),
    ],
)
def test_arguments_are_explained_and_checked(
    arguments: tuple[str, ...], status: int, sentence: str
) -> None:
    found, output = finish(start('classifier', *arguments))
    assert found == status
    assert sentence in output
    assert 'Traceback' not in output


def test_camera_ends_with_status_zero_after_its_last_image(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / 'one.png'), colour_model.image('red'))
    assert finish(start('camera', source=tmp_path, loop=False))[0] == 0


def test_webcam_is_chosen_by_its_number() -> None:
    status, output = finish(start('camera', source=987))
    assert status == 1
    assert 'webcam 987 cannot be opened' in output


def test_camera_without_images_ends_with_a_sentence(tmp_path: Path) -> None:
    status, output = finish(start('camera', source=tmp_path))
    assert status == 1
    assert 'holds no images' in output
    assert 'Traceback' not in output


def test_labels_agree_with_the_images_of_a_camera_in_another_process(
    robot: Any, model_folder: Path, tmp_path: Path
) -> None:
    for colour in colour_model.LABELS:
        path = tmp_path / f'{colour}.png'
        cv2.imwrite(str(path), colour_model.image(colour, 48, 64)[..., ::-1])
    processes = [
        start('classifier', model=model_folder, backend='reference'),
        start('camera', source=tmp_path, rate=20, frame_id='tower'),
    ]
    images = robot.listen(Image, '/image_raw')
    answers = robot.listen(Classification, '/snn_classifier/classification')

    def pairs() -> list[tuple[Image, Classification]]:
        shown = {str(image.header): image for image in images.messages}
        seen = [answer for answer in answers.messages if str(answer.header) in shown]
        return [(shown[str(answer.header)], answer) for answer in seen]

    answers.wait_for(lambda message: len(pairs()) >= 9)
    for image, answer in pairs():
        strongest = max(range(3), key=lambda channel: image.data[channel])
        assert answer.results[0].class_id == colour_model.LABELS[strongest]
        assert answer.header.frame_id == 'tower'
    assert {answer.results[0].class_id for _, answer in pairs()} == {*colour_model.LABELS}
    for process in processes:
        process.send_signal(signal.SIGINT)
    for process in processes:
        status, output = finish(process)
        assert (status, 'Traceback' in output) == (0, False)


def test_configuration_file_sets_the_parameters_of_a_node_in_any_namespace(
    robot: Any, model_folder: Path, tmp_path: Path
) -> None:
    from rcl_interfaces.srv import GetParameters

    shipped = (Path(__file__).parents[2] / 'config' / 'classify.yaml').read_text()
    text = shipped.replace('model: mnist ', f'model: {model_folder} ')
    text = text.replace('backend: auto ', 'backend: reference ')
    text = text.replace('min_confidence: 0.0 ', 'min_confidence: 0.25 ')
    (tmp_path / 'own.yaml').write_text(text)
    process = start(
        'classifier',
        *('--ros-args', '-r', f'__ns:={robot.namespace}'),
        *('--params-file', str(tmp_path / 'own.yaml')),
    )
    service = 'snn_classifier/get_parameters'
    values = robot.call(GetParameters, service, names=['min_confidence']).values
    process.send_signal(signal.SIGINT)
    assert finish(process)[0] == 0
    assert values[0].double_value == 0.25


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM], ids=['SIGINT', 'SIGTERM'])
@pytest.mark.parametrize(
    ('parameters', 'last_words'),
    [
        ({'autostart': 'false'}, ''),
        ({'backend': 'event'}, 'loading model'),
        ({'backend': 'event'}, 'compiling code'),
        ({'backend': 'reference'}, 'classifying '),
    ],
    ids=['unconfigured', 'loading', 'compiling', 'idle'],
)
def test_signal_ends_the_classifier_in_every_state(
    parameters: dict[str, Any],
    last_words: str,
    number: signal.Signals,
    model_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if last_words == 'compiling code':
        monkeypatch.setenv('NUMBA_CACHE_DIR', str(tmp_path))
    process = start('classifier', model=model_folder, **parameters)
    if last_words:
        wait_for_words(process, last_words)
    else:
        wait_for_handlers(process)
    check_that_it_ends_at_once(process, number)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM], ids=['SIGINT', 'SIGTERM'])
def test_signal_ends_the_classifier_under_more_frames_than_it_can_classify(
    robot: Any, number: signal.Signals
) -> None:
    namespace = ('--ros-args', '-r', f'__ns:={robot.namespace}')
    process = start('classifier', *namespace, '-p', 'backend:=reference')
    camera = start('camera', *namespace, '-p', 'rate:=200.0')
    robot.listen(String, 'snn_classifier/label').wait_for()
    check_that_it_ends_at_once(process, number)
    check_that_it_ends_at_once(camera, number)


def wait_for_words(process: subprocess.Popen, words: str) -> None:
    """Return once `process` has logged `words`."""
    said = ''
    while words not in said:
        line = process.stderr.readline()
        assert line, said
        said += line


def check_that_it_ends_at_once(process: subprocess.Popen, number: signal.Signals) -> None:
    """After a signal: status 0, no traceback."""
    begin = time.monotonic()
    process.send_signal(number)
    status, output = finish(process)
    assert (status, 'Traceback' in output) == (0, False), output
    assert time.monotonic() - begin < LIMIT


@pytest.mark.parametrize('seed', range(14))
def test_signal_at_any_moment_ends_the_classifier_with_status_zero(
    model_folder: Path, seed: int
) -> None:
    chance = random.Random(seed)
    process = start('classifier', model=model_folder, backend='reference')
    check_that_it_ends_in_time(process, chance, chance.uniform(0, 1.2))


@pytest.mark.slow
@pytest.mark.parametrize('seed', range(4))
def test_signal_while_a_large_library_is_loaded_ends_the_classifier_too(
    model_folder: Path, seed: int
) -> None:
    optional.library('torch')
    chance = random.Random(seed)
    process = start('classifier', model=model_folder, backend='torch')
    check_that_it_ends_in_time(process, chance, 0.3 + 0.7 * seed)


@pytest.mark.parametrize('seed', range(3))
@pytest.mark.parametrize('name', ['camera', 'demo'])
def test_signal_at_any_moment_ends_the_others_too(
    model_folder: Path, name: str, seed: int
) -> None:
    arguments = ('--model', str(model_folder)) if name == 'demo' else ()
    check_that_it_ends_in_time(start(name, *arguments), random.Random(seed), 0.6 * seed)


def check_that_it_ends_in_time(
    process: subprocess.Popen, chance: random.Random, delay: float
) -> None:
    """After `delay` s a signal, and maybe a second one soon after: status 0, no traceback."""
    wait_for_handlers(process)
    time.sleep(delay)
    number = chance.choice([signal.SIGINT, signal.SIGTERM])
    begin = time.monotonic()
    process.send_signal(number)
    if chance.random() < 0.3:
        time.sleep(chance.uniform(0, 0.2))
        process.send_signal(number)
    status, output = finish(process)
    assert (status, 'Traceback' in output) == (0, False), output
    assert 'Warning' not in output
    assert time.monotonic() - begin < LIMIT
