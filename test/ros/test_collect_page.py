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

"""Taught in a real browser: from a simulated camera to a classifier that names new classes."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml
from browsers import browser
from camera_takes import picture
from colour_frames import frame
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from sensor_msgs.msg import Image
from std_msgs.msg import Header, String
from waiting import PATIENCE, wait_until

from snn_perception.nodes.process import Stop

THINGS = {'cherry': 'red', 'leaf': 'green', 'box of tea': 'blue'}

# The recipe `transfer` for a base that is tiny.
RECIPE = {
    'name': 'taught',
    'description': 'What was shown',
    'optimisation': {'epochs': 10, 'batch_size': 16, 'learning_rate': 0.05, 'average_decay': 0.9},
    'fine_tuning': {'epochs': 1, 'batch_size': 16, 'learning_rate': 0.001, 'average_decay': 0.9},
    'validation_images': 0.3,
    'seed': 1,
}


class SimulatedCamera:
    """Shows a thing that moves, in a light that changes, thirty times a second."""

    def __init__(self, robot: Any) -> None:
        self.colour = 'red'
        self._publisher = robot.publisher(Image, 'image_raw')
        self._clock = robot.node.get_clock()
        self._steps = count()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while not self._ended.wait(1 / 30):
            header = Header(stamp=self._clock.now().to_msg())
            pixels = picture(self.colour, next(self._steps))
            self._publisher.publish(frame('', header, pixels))

    def close(self) -> None:
        self._ended.set()
        self._thread.join()


@pytest.fixture
def collector(robot: Any, model_folder: Path, tmp_path: Path) -> Any:
    """The node with its page; it belongs to a model of three colours."""
    from rclpy.parameter import Parameter

    from snn_perception.nodes.collect_node import CollectNode

    values = {
        'model': str(model_folder),
        'folder': str(tmp_path / 'my pictures'),
        'port': 0,
        'keyboard': False,
        'record_rate': 30.0,
    }
    node = CollectNode(
        Stop(),
        namespace=robot.namespace,
        parameter_overrides=[Parameter(name, value=value) for name, value in values.items()],
    )
    robot.add(node)
    assert node.start()
    return node


@pytest.fixture
def camera(robot: Any, collector: Any) -> Iterator[SimulatedCamera]:
    camera = SimulatedCamera(robot)
    yield camera
    camera.close()


@pytest.fixture
def page(collector: Any, camera: SimulatedCamera) -> Iterator[Any]:
    """The page in a browser, on which nothing may go wrong."""
    faults: list[str] = []
    with browser() as running:
        page = running.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        page.on('pageerror', lambda error: faults.append(str(error)))
        # What is refused is told to the console too.
        page.on('console', lambda line: '409' in line.text or faults.append(line.text))
        page.goto(collector.page.url)
        yield page
    assert not faults


def add_class(page: Any, name: str) -> None:
    page.get_by_label('Name of a new class').fill(name)
    page.get_by_role('button', name='Add class').click()
    page.get_by_role('button', name=name, exact=True).wait_for()


def row(page: Any, name: str) -> Any:
    """What the page says about a class."""
    button = page.get_by_role('button', name=name, exact=True)
    return page.get_by_role('listitem').filter(has=button)


def wait_for_something_new(collector: Any) -> None:
    """Wait for frames that are none of those saved so far: what is alike is skipped."""
    collection = collector.collection
    number = collection.frame.number
    wait_until(lambda: collection.frame.number > number + 1, 'another frame')


def wait_for_frames(collector: Any, name: str, least: int) -> None:
    """Wait until there are so many frames of the class `name`."""
    counts = collector.collection.counts
    wait_until(lambda: counts()[name].frames >= least, f'{least} frames of {name}')


@pytest.mark.slow
def test_things_shown_on_the_page_are_named_by_the_classifier(
    robot: Any,
    page: Any,
    collector: Any,
    camera: SimulatedCamera,
    create_classifier: Any,
    model_folder: Path,
    tmp_path: Path,
) -> None:
    for name, colour in THINGS.items():
        camera.colour = colour
        add_class(page, name)
        record = page.get_by_role('button', name=f'Record {name}')
        for takes in (1, 2, 3):
            page.get_by_role('button', name='New take').click()
            record.click()
            wait_for_frames(collector, name, 9 * takes)
            record.click()
        row(page, name).get_by_text(re.compile('frames in 3 takes: enough to begin')).wait_for()
    page.get_by_text('There is enough of every class').wait_for()

    recipe = tmp_path / 'taught.yaml'
    recipe.write_text(yaml.safe_dump({**RECIPE, 'base': str(model_folder)}))
    command = shlex.split(page.locator('code').first.inner_text())
    arguments = command[command.index('train') :]
    assert arguments[1] == 'transfer'
    model = tmp_path / 'my_model'
    arguments[1], arguments[-1] = str(recipe), str(model)
    done = subprocess.run(
        [sys.executable, '-m', 'snn_perception', *arguments],
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert 'whole takes are held out for validation: 3 of 9' in done.stderr

    create_classifier()
    labels = robot.listen(String, 'snn_classifier/label')
    labels.wait_for(lambda message: message.data in THINGS.values())
    value = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=str(model))
    answer = robot.call(
        SetParameters,
        'snn_classifier/set_parameters',
        parameters=[Parameter(name='model', value=value)],
    )
    assert answer.results[0].successful, answer.results[0].reason
    for name, colour in THINGS.items():
        camera.colour = colour
        labels.messages.clear()
        labels.wait_for(lambda message, name=name: message.data == name)


@pytest.mark.slow
def test_a_press_saves_a_frame_and_holding_goes_on_by_mouse_and_keys(
    page: Any, collector: Any
) -> None:
    add_class(page, 'cherry')
    button = page.get_by_role('button', name='cherry', exact=True)
    button.click()
    wait_for_frames(collector, 'cherry', 1)
    page.locator('h1').click()
    wait_for_something_new(collector)
    page.keyboard.press('1')
    wait_for_frames(collector, 'cherry', 2)
    wait_for_something_new(collector)
    button.press('Enter')
    wait_for_frames(collector, 'cherry', 3)
    assert collector.collection.totals.saved == 3

    button.hover()
    page.mouse.down()
    wait_for_frames(collector, 'cherry', 6)
    page.mouse.up()
    wait_until(lambda: collector.collection.recording is None, 'the end')
    page.locator('h1').click()
    page.keyboard.down('1')
    wait_for_frames(collector, 'cherry', collector.collection.totals.saved + 3)
    page.keyboard.up('1')
    wait_until(lambda: collector.collection.recording is None, 'the end')

    kept = collector.collection.totals.saved
    page.keyboard.press('d')
    counts = collector.collection.counts
    wait_until(lambda: counts()['cherry'].frames == kept - 1, 'a deletion')
    page.get_by_role('button', name='Delete last take').click()
    row(page, 'cherry').get_by_text('nothing yet').wait_for()


@pytest.mark.slow
def test_what_is_refused_is_said_on_the_page(page: Any, tmp_path: Path) -> None:
    page.get_by_label('Name of a new class').fill('a/b')
    page.get_by_role('button', name='Add class').click()
    page.get_by_text('a class cannot be called').wait_for()
    assert not list((tmp_path / 'my pictures').iterdir())


@pytest.mark.slow
def test_the_page_fits_on_a_telephone_and_names_all_that_can_be_pressed(page: Any) -> None:
    page.set_viewport_size({'width': 360, 'height': 700})
    add_class(page, 'a thing with a name that is long, and longer than a telephone is wide')
    assert page.evaluate('document.documentElement.scrollWidth') == 360
    for button in page.get_by_role('button').all():
        assert button.get_attribute('aria-label') or button.inner_text()
        assert button.bounding_box()['height'] >= 44


@pytest.mark.slow
def test_a_browser_that_goes_away_ends_its_recording(
    robot: Any, collector: Any, camera: SimulatedCamera
) -> None:
    with browser() as running:
        page = running.new_page()
        page.goto(collector.page.url)
        add_class(page, 'cherry')
        page.get_by_role('button', name='Record cherry').click()
        wait_for_frames(collector, 'cherry', 1)
        # Without a word, as when the computer is closed.
        page.context.set_offline(True)
        wait_until(lambda: collector.collection.recording is None, 'the recording to end')
    assert collector.collection.message == 'the page that recorded cherry is gone'
