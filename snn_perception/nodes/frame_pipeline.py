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

"""The path of the cameras' frames to their answers; it exists while the node is active."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from rclpy.lifecycle import LifecycleNode

from snn_perception.decision import Interrupted
from snn_perception.nodes.answers.publishing import CameraOutputs
from snn_perception.nodes.answers.recognition import Recognizer
from snn_perception.nodes.camera_channel import CameraChannel
from snn_perception.nodes.diagnostics.verdict import Level, Report
from snn_perception.nodes.frames.camera_memory import Frame
from snn_perception.nodes.frames.mailbox import Worker
from snn_perception.nodes.parameters.classifier_parameters import ClassifierParameters

Delivery = tuple[CameraChannel, Frame]


class FramePipeline:
    """Has one worker thread classify the newest frame of each camera.

    It subscribes to nothing until `resume` is called. `current` gives the parameters and the
    recognizer of the moment, which belong together. All methods are for the thread that runs the
    callbacks of `node`.
    """

    def __init__(
        self,
        node: LifecycleNode,
        cameras: Sequence[CameraOutputs],
        current: Callable[[], tuple[ClassifierParameters, Recognizer]],
    ) -> None:
        self._node = node
        self._current = current
        self._worker: Worker[Delivery] = Worker(self._classify, self._on_failure)
        self.channels = [
            CameraChannel(node, outputs, self._deliver, lambda: current()[0])
            for outputs in cameras
        ]
        self._worker.start()

    @property
    def is_running(self) -> bool:
        """Whether the worker thread has not ended."""
        return self._worker.is_running

    def resume(self) -> None:
        """Subscribe to the cameras."""
        for channel in self.channels:
            channel.resume()

    def follow(self) -> None:
        """Subscribe as the parameters now ask for."""
        for channel in self.channels:
            channel.follow()

    def pause(self) -> None:
        """Unsubscribe, and drop the frames that wait; one that is in work is not answered."""
        for channel in self.channels:
            channel.pause()
            self._worker.mailbox.clear(channel)

    def stop(self) -> bool:
        """Unsubscribe and end the worker; False if it does not come to an end."""
        self.pause()
        return self._worker.stop()

    def reset(self) -> None:
        """Forget counts and errors, and begin anew with the next frames."""
        for channel in self.channels:
            channel.reset()

    def reports(self) -> list[Report]:
        """The verdict on the time since the last reports, for each camera."""
        reports = [channel.report() for channel in self.channels]
        if self._worker.fault:
            return [Report(Level.ERROR, self._worker.fault, one.values) for one in reports]
        return reports

    def _deliver(self, channel: CameraChannel, frame: Frame) -> bool:
        return self._worker.mailbox.put(channel, (channel, frame))

    # --- in the worker ---

    def _classify(self, deliveries: list[Delivery]) -> None:
        """Answer frames of different cameras, or say why they cannot be answered."""
        parameters, recognizer = self._current()
        start = time.perf_counter()
        with ExitStack() as busy:
            for channel, _ in deliveries:
                busy.enter_context(channel.health.busy())
            unanswered = []
            for channel, frame in deliveries:
                try:
                    sight = recognizer.look(frame, channel.memory, parameters)
                except ValueError as reason:
                    channel.reject(str(reason))
                else:
                    unanswered.append((channel, sight))
            reading = time.perf_counter() - start
            try:
                sights = [sight for _, sight in unanswered]
                is_watched = any(channel.outputs.pictures.is_wanted for channel, _ in unanswered)
                answers = recognizer.decide(sights, parameters, self._is_stopping, is_watched)
                for answer in answers:
                    channel, sight = unanswered.pop(0)
                    if self._is_stopping():
                        return
                    times = {
                        'waiting': start - sight.frame.received,
                        'reading': reading,
                        'network': answer.network_time,
                    }
                    channel.answer(sight, answer, recognizer, parameters, times, start)
            except Interrupted:
                return
            except Exception as reason:
                for channel, _ in unanswered:
                    channel.fail(f'{type(reason).__name__}: {reason}')

    def _is_stopping(self) -> bool:
        return self._worker.is_stopping

    def _on_failure(self, reason: Exception) -> None:
        self._node.get_logger().error(f'the worker survived {type(reason).__name__}: {reason}')
