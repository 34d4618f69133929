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

"""The topics on which the classifier answers: one set of them for each camera."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node
from std_msgs.msg import Float64, String
from vision_msgs.msg import Classification

from snn_perception.nodes.answers import messages
from snn_perception.nodes.answers.loaded_model import Answer, AnswerParameters
from snn_perception.nodes.diagnostics.latency import Latency, latency
from snn_perception.nodes.frames.frame_reader import nanoseconds
from snn_perception.nodes.parameters.classifier_parameters import ClassifierParameters
from snn_perception.nodes.pictures.debug_image import DebugImage

DEPTH = 10


class AnswerPublishers:
    """Publishes the answers to one camera on topics that begin with `prefix`.

    `prefix` is '~', or '~/NAME' for one of several cameras. Nothing is published unless `node` is
    active.
    """

    def __init__(self, node: LifecycleNode, prefix: str = '~') -> None:
        self._node = node
        self._clock = node.get_clock()
        self._name = f'{status_name(node, prefix.removeprefix("~").lstrip("/"))}decision'
        self._publishers: list[Any] = []

        def publisher(kind: type, topic: str) -> Any:
            created = node.create_lifecycle_publisher(kind, f'{prefix}/{topic}', DEPTH)
            self._publishers.append(created)
            return created

        self._classification = publisher(Classification, 'classification')
        self._label = publisher(String, 'label')
        self._statistics = publisher(DiagnosticArray, 'statistics')
        self._energy = publisher(Float64, 'energy')
        self._firing_rate = publisher(Float64, 'firing_rate')

    @property
    def are_heard(self) -> bool:
        """Whether somebody subscribes to one of the topics."""
        return any(publisher.get_subscription_count() for publisher in self._publishers)

    def destroy(self) -> None:
        """Take the topics back."""
        for publisher in self._publishers:
            self._node.destroy_lifecycle_publisher(publisher)

    def publish(
        self,
        header: Any,
        answer: Answer,
        parameters: AnswerParameters,
        times: Mapping[str, float],
        taken_up: float,
    ) -> Latency:
        """Publish `answer` to the frame with `header`; `times` are parts of what it took, in s.

        The frame was `taken_up` then, by `time.perf_counter()`: so long took the processing, up to
        the publication of the label.
        Returns the latency from the frame's stamp.
        """
        decision = answer.decision
        delay = latency(nanoseconds(header), self._clock.now().nanoseconds)
        label = messages.label(answer, parameters)
        self._label.publish(label)
        processing = time.perf_counter() - taken_up
        self._classification.publish(
            messages.classification(header, decision, answer.labels, parameters.max_hypotheses)
        )
        shown = {'latency': delay.seconds, **times, 'processing': processing}
        status = messages.statistics(self._name, answer, label.data, shown)
        self._statistics.publish(DiagnosticArray(header=header, status=[status]))
        self._energy.publish(messages.number(answer.energies[parameters.energy_chip]))
        self._firing_rate.publish(messages.number(decision.firing_rate))
        return delay


class CameraOutputs:
    """The camera on `topic`, the `name` that its outputs have, '' for an only one, and these."""

    def __init__(self, node: LifecycleNode, topic: str, name: str) -> None:
        self.topic = topic
        self.name = name
        prefix = f'~/{name}'.rstrip('/')
        self.answers = AnswerPublishers(node, prefix)
        self.pictures = DebugImage(node, prefix)

    @property
    def are_heard(self) -> bool:
        """Whether somebody subscribes to one of the outputs."""
        return self.answers.are_heard or self.pictures.is_wanted

    def destroy(self) -> None:
        """Take the outputs back."""
        self.answers.destroy()
        self.pictures.destroy()


def create_outputs(node: LifecycleNode, topics: Sequence[str]) -> list[CameraOutputs]:
    """The outputs for the cameras on `topics`."""
    return [
        CameraOutputs(node, topic, name)
        for topic, name in zip(topics, camera_names(topics), strict=True)
    ]


def camera_names(topics: Sequence[str]) -> list[str]:
    """A name for the camera on each of `topics`, '' if there is only one.

    It is the topic without its last part, such as front for /front/image_raw; or all of it, if
    some topic has no other part or two names would be the same. What was / is _ in it.
    """
    if len(topics) == 1:
        return ['']
    parts = [topic.lstrip('~').strip('/').split('/') for topic in topics]
    short = ['_'.join(part[:-1]) for part in parts]
    if all(short) and len(set(short)) == len(short):
        return short
    return ['_'.join(part) for part in parts]


def check_topics(node: Node, parameters: ClassifierParameters) -> None:
    """Raise ValueError unless the cameras' topics are names of topics, each with its own name."""
    for topic in parameters.image_topics:
        try:
            node.resolve_topic_name(topic)
        except Exception as reason:  # of several kinds, in rclpy
            raise ValueError(f'image_topics: {topic!r} is no name of a topic: {reason}') from None
    names = camera_names(parameters.image_topics)
    if len(set(names)) < len(names):
        raise ValueError(f'image_topics: the cameras cannot be told apart by name: {names}')


def status_name(node: Node, camera: str) -> str:
    """Beginning of the name of a status of `node`, or of one of its cameras."""
    name = node.get_fully_qualified_name().lstrip('/')
    return f'{name}: {camera} ' if camera else f'{name}: '
