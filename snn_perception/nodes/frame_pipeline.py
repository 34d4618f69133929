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

"""The path of a camera's frames to their answers; it exists while the node is active."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSCompatibility, QoSProfile, ReliabilityPolicy, qos_check_compatible
from sensor_msgs.msg import CompressedImage, Image

from snn_perception.decision import Interrupted
from snn_perception.nodes.health import Health
from snn_perception.nodes.mailbox import Worker
from snn_perception.nodes.parameters import ClassifierParameters
from snn_perception.nodes.publishing import AnswerPublishers
from snn_perception.nodes.recognition import Answer, Frame, Recognizer
from snn_perception.nodes.verdict import Level, Report, Source

LOG_PERIOD = 5.0
"""Seconds between two log lines about the same kind of trouble."""


class FramePipeline:
    """Subscribes to a camera, has a worker thread classify the newest frame, and publishes.

    It subscribes to nothing until `resume` is called. `parameters` gives those of the moment.
    All methods are for the thread that runs the callbacks of `node`.
    """

    def __init__(
        self,
        node: LifecycleNode,
        recognizer: Recognizer,
        answers: AnswerPublishers,
        parameters: Callable[[], ClassifierParameters],
    ) -> None:
        self._node = node
        self._recognizer = recognizer
        self._answers = answers
        self._parameters = parameters
        self._health = Health()
        self._subscription: Any = None
        self._worker: Worker[Frame] = Worker(self._classify, self._on_failure)
        self._worker.start()

    @property
    def is_running(self) -> bool:
        """Whether the worker thread has not ended."""
        return self._worker.is_running

    def resume(self) -> None:
        """Subscribe, unless that is done."""
        if self._subscription is not None:
            return
        parameters = self._parameters()
        is_compressed = parameters.image_transport == 'compressed'
        topic = self._node.resolve_topic_name('image_raw') + '/compressed' * is_compressed
        self._qos = QoSProfile(
            depth=1, reliability=ReliabilityPolicy[parameters.reliability.upper()]
        )
        self._subscription = self._node.create_subscription(
            CompressedImage if is_compressed else Image, topic, self._on_frame, self._qos
        )
        self._health.resume()
        self._node.get_logger().info(f'classifying {self._subscription.topic_name}')

    def pause(self) -> None:
        """Unsubscribe, and drop the frame that waits; one that is in work is not answered."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None
        self._worker.mailbox.clear()

    def stop(self) -> bool:
        """Unsubscribe and end the worker; False if it does not come to an end."""
        self.pause()
        return self._worker.stop()

    def reset(self) -> None:
        """Forget counts and errors, and begin anew with the next frame."""
        self._health.reset()
        self._recognizer.reset()

    def report(self) -> Report:
        """The verdict on the time since the last report."""
        report = self._health.report(self._source())
        if self._worker.fault:
            return Report(Level.ERROR, self._worker.fault, report.values)
        return report

    def _source(self) -> Source | None:
        """What the graph says about the camera, None while there is no subscription."""
        if self._subscription is None:
            return None
        topic = self._subscription.topic_name
        offers = [
            qos_check_compatible(publisher.qos_profile, self._qos)
            for publisher in self._node.get_publishers_info_by_topic(topic)
        ]
        refused = [reason for offer, reason in offers if offer == QoSCompatibility.ERROR]
        unheard = ''
        if offers and len(refused) == len(offers):
            reason = refused[0].removeprefix('ERROR: ').rstrip('; ')
            unheard = (
                f'whose publishers offer incompatible QoS ({reason}); with the parameter '
                f'reliability at best_effort they would be heard'
            )
        return Source(topic, len(offers), unheard)

    def _on_frame(self, message: Any) -> None:
        frame = self._recognizer.receive(message, self._parameters())
        self._health.received(self._worker.mailbox.put(frame))

    # --- in the worker ---

    def _classify(self, frame: Frame) -> None:
        """Answer one frame, or say why it cannot be answered."""
        parameters = self._parameters()
        start = time.perf_counter()
        with self._health.busy():
            try:
                pixels = self._recognizer.read(frame, parameters)
            except ValueError as reason:
                self._health.rejected(str(reason))
                self._node.get_logger().warning(
                    f'frame rejected: {reason}', throttle_duration_sec=LOG_PERIOD
                )
                return
            try:
                answer = self._recognizer.decide(
                    pixels, frame.arrival, parameters, lambda: self._worker.is_stopping
                )
            except Interrupted:
                return
            if not self._worker.is_stopping and self._subscription is not None:
                self._count_stream(answer)
                processing = time.perf_counter() - start
                header = frame.message.header
                latency = self._answers.publish(header, answer, parameters, processing)
                self._health.classified(latency)

    def _count_stream(self, answer: Answer) -> None:
        """Count what became of the time of a stream before `answer`."""
        self._health.skipped(answer.skipped)
        if answer.restart:
            self._health.restarted()
            self._node.get_logger().warning(
                f'stream begins again: {answer.restart}', throttle_duration_sec=LOG_PERIOD
            )

    def _on_failure(self, reason: Exception) -> None:
        sentence = f'{type(reason).__name__}: {reason}'
        self._health.failed(sentence)
        self._node.get_logger().error(
            f'frame could not be classified: {sentence}', throttle_duration_sec=LOG_PERIOD
        )
