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

"""The test bench of a soak: a classifier, a camera that knows the right answers, and requests."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import numpy as np
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from numpy.typing import NDArray
from rcl_interfaces.msg import Parameter, ParameterDescriptor, ParameterValue
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters, SetParameters
from rclpy.event_handler import PublisherEventCallbacks
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image
from std_srvs.srv import SetBool

from snn_perception.loading import load_model
from snn_perception.model_folder import save_model
from snn_perception.nodes.frames.frame_reader import nanoseconds
from snn_perception.nodes.trials.camera import image
from snn_perception.nodes.trials.observer import NODE, Answer, Observer, Unanswered
from snn_perception.nodes.trials.processes import Program, classifier
from snn_perception.nodes.trials.speed import wait_until_active

LIMIT = 15.0
"""Seconds within which requests must be answered, and good frames answered rightly again."""
PERIOD = 0.05
"""Seconds between two good frames."""
RIGHT = 3
"""So many right answers in a row mean that all is well again."""
WAY = {'unconfigured': Transition.TRANSITION_CONFIGURE, 'inactive': Transition.TRANSITION_ACTIVATE}
"""Ids of the transitions that lead from a state towards the active one."""


class Trouble(Exception):
    """What a node must not do; the message is a sentence."""


def write_models(model: str, folder: Path) -> dict[str, Path]:
    """Models in `folder` by what is wrong with them: a twin of `model`, and broken ones."""
    paths = {name: folder / name for name in ('twin', 'truncated', 'empty', 'absurd')}
    for path in paths.values():
        save_model(load_model(model), path)
    weights = paths['truncated'] / 'weights.safetensors'
    weights.write_bytes(weights.read_bytes()[:1000])
    (paths['empty'] / 'model.yaml').write_text('', encoding='utf-8')
    description = paths['absurd'] / 'model.yaml'
    text = description.read_text(encoding='utf-8')
    description.write_text(text.replace('dt: ', 'dt: 99'), encoding='utf-8')
    return {**paths, 'missing': folder / 'missing'}


class Bench:
    """A classifier with `parameters` in a process of its own, and all that a fault may use.

    Good frames are `pictures`, (count, height, width, 3) uint8 RGB; the right answers are those
    that the node gave before anything was done to it. `folder` is for the files of the bench:
    `recording` has the pictures, and `models` are a good model and broken ones, by what is
    wrong with them. `chance` decides whatever is random.
    """

    def __init__(
        self,
        observer: Observer,
        parameters: dict[str, Any],
        pictures: NDArray[np.uint8],
        folder: Path,
        chance: random.Random,
    ) -> None:
        self.observer = observer
        self.chance = chance
        self.models = write_models(str(parameters['model']), folder)
        self.recording = folder / 'frames.npy'
        np.save(self.recording, pictures)
        self.latencies: list[tuple[float, float]] = []
        self.pictures = pictures
        self._parameters = parameters
        self._sent: dict[int, int] = {}
        self._right: dict[int, str] = {}
        self._next = 0
        self._publisher = self.create_publisher(QoSProfile(depth=10))
        self.start()

    def start(self) -> None:
        """Start the node, and learn the right answers if they are not known."""
        self.program: Program = classifier(self._parameters)
        wait_until_active(self.observer, self.program)
        if not self._right:
            self._learn()
        self.usual = self._values()

    def restart(self) -> None:
        """End the process, and start it anew."""
        self.program.end()
        self.start()

    def close(self) -> None:
        """End the process."""
        self.program.end()

    # --- frames ---

    def create_publisher(self, qos: QoSProfile) -> Publisher:
        """A camera of this process with quality of service `qos`, which nobody is warned of."""
        silent = PublisherEventCallbacks(use_default_callbacks=False)
        node = self.observer.node
        return node.create_publisher(Image, 'image_raw', qos, event_callbacks=silent)

    def send(self, message: Image) -> None:
        """Publish `message` as it is."""
        self._publisher.publish(message)

    def frame(self, **fields: Any) -> Image:
        """The next picture as a message stamped now; `fields` replace its own."""
        self._next = (self._next + 1) % len(self.pictures)
        message = image(self.pictures[self._next], **fields)
        if 'header' not in fields:
            message.header.stamp = self.observer.node.get_clock().now().to_msg()
        return message

    def send_good(self) -> int:
        """Publish the next picture; returns its stamp in ns."""
        message = self.frame()
        stamp = nanoseconds(message.header)
        self._sent[stamp] = self._next
        self.send(message)
        return stamp

    def _learn(self) -> None:
        end = time.monotonic() + 2 * LIMIT
        while len(self._right) < len(self.pictures):
            if time.monotonic() > end:
                raise ValueError(f'the classifier gave no answers: {self.program.last_words()}')
            stamp = self.send_good()
            answer = self._answer_to(stamp)
            if answer:
                self._right[self._sent[stamp]] = answer.label

    def _answer_to(self, stamp: int) -> Answer | None:
        """The answer to the frame of `stamp`, if it comes before the next one is due."""
        try:
            return self.observer.wait_for(
                lambda: self.observer.answers.get(stamp), PERIOD, 'an answer'
            )
        except Unanswered:
            return None

    def check(self) -> float:
        """Seconds until RIGHT good frames in a row are answered rightly, from now on.

        Raises Trouble if the process has ended, for a wrong answer, or after LIMIT.
        """
        start, right, begun = time.monotonic(), 0, set(self._sent)
        while right < RIGHT:
            self.check_alive()
            if time.monotonic() - start > LIMIT:
                raise Trouble(f'good frames are not answered within {LIMIT:g} s')
            before = time.monotonic()
            right = right + 1 if self._answer_to(self.send_good()) else 0
            time.sleep(max(0.0, PERIOD - (time.monotonic() - before)))
            self._judge(begun)
        self._sent.clear()
        self.observer.forget()
        return time.monotonic() - start

    def check_alive(self) -> None:
        """Raise Trouble if the process has ended."""
        if not self.program.is_running:
            status = self.program.process.returncode
            raise Trouble(f'the process ended with status {status}: {self.program.last_words()}')

    def _judge(self, before: set[int]) -> None:
        """Look at all answers to good frames but those sent `before` the check."""
        answers = dict(self.observer.answers)
        for stamp in [stamp for stamp in answers if stamp in self._sent and stamp not in before]:
            right = self._right[self._sent.pop(stamp)]
            self.latencies.append((time.monotonic(), answers[stamp].latency))
            if answers[stamp].label != right:
                raise Trouble(f'a good frame was called {answers[stamp].label!r}, not {right!r}')

    # --- requests ---

    def call(self, kind: Any, service: str, **fields: Any) -> Any:
        """The response of the node's `service`; raises Trouble if there is none within LIMIT."""
        try:
            return self.observer.call(kind, f'{NODE}/{service}', LIMIT, self._lives, **fields)
        except Unanswered as reason:
            self.check_alive()
            raise Trouble(str(reason)) from None

    def _lives(self) -> bool:
        return self.program.is_running

    def change(self, transition: int, label: str = '') -> bool:
        """Ask for a `transition` by its id, and maybe its label; whether that worked."""
        wanted = Transition(id=transition, label=label)
        return self.call(ChangeState, 'change_state', transition=wanted).success

    def set(self, **values: ParameterValue) -> list[Any]:
        """Set parameters, each by itself; the results."""
        parameters = [Parameter(name=name, value=value) for name, value in values.items()]
        return self.call(SetParameters, 'set_parameters', parameters=parameters).results

    def names(self) -> list[str]:
        """Of all parameters of the node."""
        return self.call(ListParameters, 'list_parameters').result.names

    def descriptions(self, names: list[str]) -> list[ParameterDescriptor]:
        """What the node says about its parameters."""
        return self.call(DescribeParameters, 'describe_parameters', names=names).descriptors

    def _values(self) -> dict[str, ParameterValue]:
        names = self.names()
        values = self.call(GetParameters, 'get_parameters', names=names).values
        return dict(zip(names, values, strict=True))

    def restore(self) -> None:
        """Put everything back as an operator would; raises Trouble if the node does not obey."""
        now = self._values()
        changed = {name: value for name, value in self.usual.items() if now.get(name) != value}
        refused = [result.reason for result in self.set(**changed) if not result.successful]
        if refused:
            # What is locked can be set when the node is cleaned up.
            self.change(Transition.TRANSITION_DEACTIVATE)
            self.change(Transition.TRANSITION_CLEANUP)
            refused = [one.reason for one in self.set(**changed) if not one.successful]
        if refused:
            raise Trouble(f'a parameter cannot be set back: {refused[0]}')
        end = time.monotonic() + LIMIT
        while (state := self.observer.state(LIMIT)) != 'active':
            if time.monotonic() > end:
                raise Trouble(f'the node stays {state}: {self.program.last_words()}')
            if state in WAY:
                self.change(WAY[state])
            else:
                time.sleep(PERIOD)
        self.call(SetBool, 'enable', data=True)
