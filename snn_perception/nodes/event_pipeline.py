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

"""The path of an event camera's packets to the answers; it exists while the node is active."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rclpy.lifecycle import LifecycleNode

from snn_perception.event_stream import EventStream
from snn_perception.nodes.answers.event_recognition import EventRecognizer
from snn_perception.nodes.answers.loaded_model import Answer
from snn_perception.nodes.answers.publishing import CameraOutputs
from snn_perception.nodes.diagnostics.verdict import Level, Report
from snn_perception.nodes.event_channel import EventChannel
from snn_perception.nodes.event_packets.packet_reader import PacketReader, Seen
from snn_perception.nodes.event_packets.queue import Delivery
from snn_perception.nodes.event_packets.stream_clock import EventClock, Stretch
from snn_perception.nodes.frames.mailbox import Worker
from snn_perception.nodes.parameters.event_parameters import EventClassifierParameters
from snn_perception.nodes.pictures.event_scene import Accumulation, scene_of

Current = Callable[[], tuple[EventClassifierParameters, EventRecognizer]]


class EventPipeline:
    """Has a worker thread classify the packets of an event camera in their order.

    It subscribes to nothing until `resume` is called. `current` gives the parameters and the
    recognizer of the moment, which belong together. All methods are for the thread that runs the
    callbacks of `node`.
    """

    def __init__(self, node: LifecycleNode, outputs: CameraOutputs, current: Current) -> None:
        self._node = node
        self._current = current
        self.channel = EventChannel(node, outputs, lambda: current()[0])
        self._worker = Worker(self._classify, self._on_failure, self.channel.queue)
        self._fresh = threading.Event()
        self._reader = PacketReader()
        self._listener: Listener | None = None
        self._worker.start()

    @property
    def is_running(self) -> bool:
        """Whether the worker thread has not ended."""
        return self._worker.is_running

    def resume(self) -> None:
        """Subscribe to the camera."""
        self.channel.resume()

    def follow(self) -> None:
        """Subscribe as the parameters now ask for."""
        self.channel.follow()

    def pause(self) -> None:
        """Unsubscribe, and drop the packets that wait; those in work are not answered."""
        self.channel.pause()
        self.channel.queue.clear()

    def stop(self) -> bool:
        """Unsubscribe and end the worker; False if it does not come to an end."""
        self.pause()
        return self._worker.stop()

    def reset(self) -> None:
        """Forget counts and errors, and begin anew, at rest, with a packet of any camera."""
        self.channel.health.reset()
        self._fresh.set()

    def reports(self) -> list[Report]:
        """The verdict on the time since the last report."""
        report = self.channel.report()
        if self._worker.fault:
            return [Report(Level.ERROR, self._worker.fault, report.values)]
        return [report]

    # --- in the worker ---

    def _classify(self, deliveries: list[Delivery]) -> None:
        with self.channel.health.busy():
            for delivery in deliveries:
                self._hear(delivery)

    def _hear(self, delivery: Delivery) -> None:
        """Let the network hear a packet, or say why it cannot."""
        parameters, recognizer = self._current()
        start = time.perf_counter()
        if self._fresh.is_set():
            self._fresh.clear()
            self._reader.reset()
            self._listener = None
        if self._listener is None or self._listener.recognizer is not recognizer:
            self._listener = Listener(recognizer)
        listener, channel = self._listener, self.channel
        listener.follows_gap |= delivery.follows_gap
        listener.times = {'waiting': start - delivery.received}
        try:
            shaping = recognizer.shaping(parameters)
            parts, faults = self._reader.read(delivery.message, shaping, parameters.stream_gap)
        except ValueError as reason:
            channel.reject(str(reason))
            return
        channel.health.decoded(
            sum(len(part.events) for part in parts), faults, sum(part.hot for part in parts)
        )
        listener.times['reading'] = time.perf_counter() - start
        try:
            for part in parts:
                is_watched = channel.outputs.pictures.is_wanted
                for answer in listener.hear(part, parameters.stream_gap, is_watched):
                    if self._worker.is_stopping:
                        return
                    self._answer(delivery, answer, listener, parameters, start)
        except Exception as reason:
            self._listener = None
            channel.fail(f'{type(reason).__name__}: {reason}')

    def _answer(
        self,
        delivery: Delivery,
        answer: Answer,
        listener: Listener,
        parameters: EventClassifierParameters,
        start: float,
    ) -> None:
        times = {**listener.times, 'network': answer.network_time}
        self.channel.publish(
            delivery.message.header,
            answer,
            parameters,
            times,
            start,
            delivery.transport,
            lambda latency: scene_of(
                listener.seen, self._reader.state, answer, listener.recognizer, parameters, latency
            ),
        )
        listener.seen.clear()

    def _on_failure(self, reason: Exception) -> None:
        self._node.get_logger().error(f'the worker survived {type(reason).__name__}: {reason}')


class Listener:
    """The network of `recognizer` as it hears one camera, and what it has heard since an answer.

    `times` are parts of what the packet in work took, in s by name, and `follows_gap` tells
    whether packets are missing since the last events.
    """

    def __init__(self, recognizer: EventRecognizer) -> None:
        self.recognizer = recognizer
        self.times: dict[str, float] = {}
        self.follows_gap = False
        self.seen = Accumulation()
        self._stream = EventStream(recognizer.simulator)
        self._clock = EventClock(recognizer.model.dt)
        self._spent = 0.0
        self._restart = ''
        self._skipped = 0.0

    def hear(self, part: Seen, longest_gap: float, is_watched: bool) -> Any:
        """The answers that fall in the course of `part`, one after the other.

        See `EventClock.advance`; events and spikes are remembered for pictures if it `is_watched`.
        """
        if is_watched:
            self.seen.add(part)
        first, last = int(part.events.t[0]), int(part.events.t[-1])
        follows_gap, self.follows_gap = self.follows_gap, False
        for stretch in self._clock.advance(part.shaped, first, last, longest_gap, follows_gap):
            yield from self._advance(stretch, is_watched)

    def _advance(self, stretch: Stretch, is_watched: bool) -> list[Answer]:
        if stretch.gap:
            self._stream.reset()
            self._restart, self._spent = stretch.gap, 0.0
        self._skipped += stretch.skipped
        answers, seconds = self.recognizer.decide(self._stream, stretch.counts, is_watched)
        self._spent += seconds
        if not answers:
            return []
        first = replace(
            answers[0],
            network_time=self._spent,
            restart=self._restart,
            skipped=self._skipped,
        )
        self._spent, self._restart, self._skipped = 0.0, '', 0.0
        return [first, *answers[1:]]
