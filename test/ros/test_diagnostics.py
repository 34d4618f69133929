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

"""What the classifier says about itself when something is wrong, and when it is well again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import colour_frames
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import Header, String
from std_srvs.srv import SetBool

from snn_perception import energy
from snn_perception.backends.reference import ReferenceSimulator

OK, WARN, ERROR, STALE = b'\x00', b'\x01', b'\x02', b'\x03'

SILENCE = DELAY = 0.6


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that is soon impatient with its engine."""
    monkeypatch.setattr('snn_perception.nodes.frames.mailbox.PATIENCE', 0.1)


@pytest.fixture
def create_classifier(create_classifier: Callable[..., Any]) -> Callable[..., Any]:
    """Makes a classifier that is soon impatient with its camera, and allows for drops."""
    limits = {'max_silence': SILENCE, 'max_delay': DELAY, 'max_dropped': 1.0}
    return lambda **parameters: create_classifier(**{**limits, **parameters})


class Engine:
    """Something that the worker calls, which can be made to hang."""

    def __init__(self) -> None:
        self._hanging = threading.Event()
        self._released = threading.Event()

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            if self._hanging.is_set():
                self._hanging.clear()
                assert self._released.wait(60)
            return function(*arguments, **named)

        return run

    def hang(self) -> None:
        """Have the next call hang until `go_on` is called; those after it do not."""
        self._hanging.set()

    def go_on(self) -> None:
        self._released.set()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The reference engine."""
    engine = Engine()
    monkeypatch.setattr(ReferenceSimulator, 'advance', engine.wrap(ReferenceSimulator.advance))
    yield engine
    engine.go_on()


class Verdicts:
    """What the classifier of `robot` says about itself."""

    def __init__(self, robot: Any) -> None:
        self._robot = robot
        self._inbox = robot.listen(DiagnosticArray, '/diagnostics')

    def wait_for(self, level: bytes | None, sentence: str = '', **values: str) -> DiagnosticStatus:
        """The next verdict with this level (None: any), this in its message, and these values."""

        def fits(message: DiagnosticArray) -> bool:
            status = message.status[0]
            found = {item.key: item.value for item in status.values}
            return (
                status.name.startswith(f'{self._robot.namespace[1:]}/')
                and level in (None, status.level)
                and sentence in status.message
                and values.items() <= found.items()
            )

        self._inbox.messages.clear()
        return self._inbox.wait_for(fits).status[0]


def change(robot: Any, transition: int) -> bool:
    request = {'transition': Transition(id=transition)}
    return robot.call(ChangeState, 'snn_classifier/change_state', **request).success


def frame(seconds: float) -> Image:
    header = Header()
    header.stamp.sec = int(seconds)
    header.stamp.nanosec = round(seconds % 1 * 1e9)
    return colour_frames.frame('red', header)


@pytest.fixture
def show(robot: Any) -> Callable[[], None]:
    """Starts a camera that shows red until the test ends."""

    def start() -> None:
        publisher = robot.publisher(Image, 'image_raw')
        robot.node.create_timer(0.02, lambda: publisher.publish(colour_frames.frame('red')))

    return start


def test_engine_that_hangs_is_an_error_until_it_goes_on(
    robot: Any, create_classifier: Any, engine: Engine, show: Any
) -> None:
    create_classifier()
    verdicts = Verdicts(robot)
    show()
    verdicts.wait_for(OK, 'classifying')
    engine.hang()
    verdicts.wait_for(ERROR, 'nothing classified for 1 s: the engine is still busy with one frame')
    engine.go_on()
    verdicts.wait_for(OK, 'classifying')


@pytest.mark.filterwarnings('ignore::pytest.PytestUnhandledThreadExceptionWarning')
def test_worker_that_has_ended_is_an_error_until_the_node_is_activated_again(
    robot: Any, create_classifier: Any, show: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_classifier()
    verdicts = Verdicts(robot)

    def leave(*_: Any) -> None:
        raise SystemExit('gone')

    with monkeypatch.context() as patch:
        patch.setattr(energy, 'estimate', leave)
        show()
        verdicts.wait_for(ERROR, 'the worker thread ended 0 s ago with SystemExit: gone')
        verdicts.wait_for(ERROR, 'the worker thread ended 1 s ago with SystemExit: gone')
    assert change(robot, Transition.TRANSITION_DEACTIVATE)
    assert change(robot, Transition.TRANSITION_ACTIVATE)
    verdicts.wait_for(OK, 'classifying')


def test_engine_that_does_not_stop_is_an_error_until_it_has(
    robot: Any, create_classifier: Any, engine: Engine
) -> None:
    create_classifier()
    verdicts = Verdicts(robot)
    labels = robot.listen(String, 'snn_classifier/label')
    engine.hang()
    robot.publisher(Image, 'image_raw').publish(frame(1))
    verdicts.wait_for(ERROR, 'nothing classified')
    assert not change(robot, Transition.TRANSITION_DEACTIVATE)
    verdicts.wait_for(ERROR, 'cannot be deactivated: the engine does not stop')
    assert change(robot, Transition.TRANSITION_CONFIGURE)
    assert change(robot, Transition.TRANSITION_ACTIVATE)
    robot.publisher(Image, 'image_raw').publish(frame(2))
    labels.wait_for()
    verdicts.wait_for(ERROR, 'an engine that was told to stop still runs')
    engine.go_on()
    verdicts.wait_for(STALE, classified='1')
    assert len(labels.messages) == 1


def test_answer_that_comes_after_all_is_neither_published_nor_counted(
    robot: Any, create_classifier: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    last_step = Engine()
    monkeypatch.setattr(energy, 'estimate', last_step.wrap(energy.estimate))
    create_classifier()
    verdicts = Verdicts(robot)
    labels = robot.listen(String, 'snn_classifier/label')
    last_step.hang()
    robot.publisher(Image, 'image_raw').publish(frame(1))
    verdicts.wait_for(ERROR, 'nothing classified')
    assert not change(robot, Transition.TRANSITION_DEACTIVATE)
    assert change(robot, Transition.TRANSITION_CONFIGURE)
    assert change(robot, Transition.TRANSITION_ACTIVATE)
    verdicts.wait_for(ERROR, 'still runs')
    last_step.go_on()
    verdicts.wait_for(STALE, received='0', classified='0')
    assert not labels.messages


def test_deactivation_that_failed_is_shown_until_the_node_is_inactive_or_active(
    robot: Any, create_classifier: Any, engine: Engine
) -> None:
    create_classifier()
    verdicts = Verdicts(robot)
    engine.hang()
    robot.publisher(Image, 'image_raw').publish(frame(1))
    verdicts.wait_for(ERROR, 'nothing classified')
    assert not change(robot, Transition.TRANSITION_DEACTIVATE)
    engine.go_on()
    verdicts.wait_for(ERROR, 'cannot be deactivated: the engine does not stop')
    assert change(robot, Transition.TRANSITION_CONFIGURE)
    verdicts.wait_for(OK, 'not active')


def test_failed_activation_is_shown_until_the_node_is_active(
    robot: Any, create_classifier: Any, show: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = create_classifier(started=False, autostart=False)
    verdicts = Verdicts(robot)
    assert change(robot, Transition.TRANSITION_CONFIGURE)
    with monkeypatch.context() as patch:
        patch.setattr(node, 'create_subscription', lambda *_, **__: 1 / 0)
        assert not change(robot, Transition.TRANSITION_ACTIVATE)
    verdicts.wait_for(ERROR, 'on_activate failed: ZeroDivisionError')
    assert change(robot, Transition.TRANSITION_CONFIGURE)
    verdicts.wait_for(ERROR, 'on_activate failed: ZeroDivisionError')
    assert change(robot, Transition.TRANSITION_ACTIVATE)
    show()
    verdicts.wait_for(OK, 'classifying')


def test_failed_cleanup_is_shown_though_the_node_gets_over_it(
    robot: Any, create_classifier: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from snn_perception.nodes.answers.recognition import Recognizer

    create_classifier(started=False, autostart=False)
    verdicts = Verdicts(robot)
    assert change(robot, Transition.TRANSITION_CONFIGURE)
    with monkeypatch.context() as patch:
        patch.setattr(Recognizer, 'close', lambda self: 1 / 0)
        assert not change(robot, Transition.TRANSITION_CLEANUP)
    verdicts.wait_for(ERROR, 'on_cleanup failed: ZeroDivisionError')
    assert change(robot, Transition.TRANSITION_CONFIGURE)
    assert change(robot, Transition.TRANSITION_CLEANUP)
    verdicts.wait_for(OK, 'not configured')


def test_publisher_that_cannot_be_heard_is_named_until_another_is_heard(
    robot: Any, create_classifier: Any
) -> None:
    create_classifier(reliability='reliable')
    verdicts = Verdicts(robot)
    qos = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    deaf = robot.node.create_publisher(Image, 'image_raw', qos)
    verdicts.wait_for(STALE, 'incompatible QoS (Best effort publisher and reliable subscription)')
    publisher = robot.publisher(Image, 'image_raw')
    verdicts.wait_for(STALE, 'where some offer incompatible QoS')
    timer = robot.node.create_timer(0.02, lambda: publisher.publish(frame(1)))
    verdicts.wait_for(WARN, 'not all frames on')
    robot.node.destroy_timer(timer)
    robot.node.destroy_publisher(publisher)
    robot.node.destroy_publisher(deaf)
    verdicts.wait_for(STALE, 'which has no publishers')


def test_publisher_that_cannot_be_heard_is_named_before_silence_is_remarkable(
    robot: Any, create_classifier: Any
) -> None:
    create_classifier(max_silence=60.0, reliability='reliable')
    verdicts = Verdicts(robot)
    qos = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    deaf = robot.node.create_publisher(Image, 'image_raw', qos)
    verdicts.wait_for(WARN, 'incompatible QoS')
    robot.node.destroy_publisher(deaf)
    verdicts.wait_for(OK)


def test_time_of_a_stream_that_the_engine_misses_is_skipped_without_a_restart(
    robot: Any, create_classifier: Any, engine: Engine
) -> None:
    create_classifier(max_silence=60.0, mode='stream')
    verdicts = Verdicts(robot)
    statistics = robot.listen(DiagnosticArray, 'snn_classifier/statistics')
    publisher = robot.publisher(Image, 'image_raw')

    def simulated(seconds: float) -> str:
        """Milliseconds for which the network was shown the frame with this stamp."""
        stamp = frame(seconds).header.stamp
        message = statistics.wait_for(lambda message: message.header.stamp == stamp)
        values = {item.key: item.value for item in message.status[0].values}
        return values['simulated_time_ms']

    publisher.publish(frame(1.0))
    assert simulated(1.0) == '30.000'
    engine.hang()
    publisher.publish(frame(1.02))
    verdicts.wait_for(ERROR, 'the engine is still busy with one frame')
    for number, seconds in enumerate([1.9, 2.8, 3.7, 4.62], start=3):
        publisher.publish(frame(seconds))
        verdicts.wait_for(None, received=str(number))
    engine.go_on()
    assert simulated(1.02) == '20.000'
    assert simulated(4.62) == '900.000'
    sentence = 'the engine is too slow for the stream: 2.70 s of it were skipped'
    verdicts.wait_for(WARN, sentence, skipped_s='2.700', restarts='0')
    publisher.publish(frame(4.63))
    assert simulated(4.63) == '10.000'
    verdicts.wait_for(OK, skipped_s='2.700', restarts='0')


def test_first_report_after_a_pause_does_not_count_it(robot: Any, create_classifier: Any) -> None:
    create_classifier(max_silence=2.0)
    verdicts = Verdicts(robot)
    robot.call(SetBool, 'snn_classifier/enable', data=False)
    for _ in range(22):
        verdicts.wait_for(OK, 'disabled')
    robot.call(SetBool, 'snn_classifier/enable', data=True)
    verdict = verdicts.wait_for(None, '/image_raw')
    assert (verdict.level, verdict.message[:11]) == (OK, 'classifying')


def test_stamps_of_another_clock_are_named_instead_of_a_latency_of_years(
    robot: Any, create_classifier: Any
) -> None:
    create_classifier()
    verdicts = Verdicts(robot)
    publisher = robot.publisher(Image, 'image_raw')
    robot.node.create_timer(0.02, lambda: publisher.publish(frame(7)))
    verdict = verdicts.wait_for(OK, 'set use_sim_time and publish /clock', latency_ms='nan')
    assert 'days behind the clock of this node' in verdict.message
