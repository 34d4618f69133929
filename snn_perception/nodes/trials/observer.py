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

"""What a node that classifies says to others, collected in another process, and asking it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.srv import GetState
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future
from vision_msgs.msg import Classification

from snn_perception.nodes.frames.frame_reader import nanoseconds

T = TypeVar('T')

NODE = '/snn_classifier'
DEPTH = 1000
"""Answers that may wait for this process without being lost."""
LATE = 5.0
"""Seconds after which a service is asked again: a server that has not found its client yet
answers into the void."""
PULSE = 0.2
"""Seconds between two looks at whether the other side lives."""


class Unanswered(TimeoutError):
    """Something that was waited for did not come in time."""


@dataclass(frozen=True)
class Answer:
    """What was said about one frame: its `stamp` and when the label was `received` here, in ns."""

    stamp: int
    received: int
    label: str

    @property
    def latency(self) -> float:
        """Seconds from the stamp of the frame to the arrival of its label."""
        return (self.received - self.stamp) / 1e9


class Observer:
    """A node of its own with a thread, that listens to NODE and calls its services.

    `answers` are by stamp (ns), and so are `statistics`, the values of ~/statistics;
    `diagnostics` are the values of the last message of NODE on /diagnostics.
    """

    def __init__(self) -> None:
        self._context = Context()
        rclpy.init(context=self._context, signal_handler_options=SignalHandlerOptions.NO)
        self.node = Node('trial_observer', context=self._context)
        self.answers: dict[int, Answer] = {}
        self.statistics: dict[int, dict[str, str]] = {}
        self.diagnostics: dict[str, str] = {}
        self.reports = 0
        self._changed = threading.Condition()
        self._clients: dict[str, Any] = {}
        on_answer: Any = self._on_answer  # rclpy's annotations know no callback with two arguments
        self.node.create_subscription(Classification, f'{NODE}/classification', on_answer, DEPTH)
        self.node.create_subscription(
            DiagnosticArray, f'{NODE}/statistics', self._on_statistics, DEPTH
        )
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, DEPTH)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._closed = Future()
        self._thread = threading.Thread(
            target=self._executor.spin_until_future_complete, args=[self._closed], daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Observer:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set_result(None)
        self._thread.join(LATE)
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    def _on_answer(self, message: Classification, info: Any) -> None:
        stamp = nanoseconds(message.header)
        label = message.results[0].class_id if message.results else ''
        with self._changed:
            self.answers[stamp] = Answer(stamp, info['received_timestamp'], label)
            self._changed.notify_all()

    def _on_statistics(self, message: DiagnosticArray) -> None:
        values = {pair.key: pair.value for pair in message.status[0].values}
        with self._changed:
            self.statistics[nanoseconds(message.header)] = values
            self._changed.notify_all()

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name.startswith(f'{NODE[1:]}: '):
                with self._changed:
                    self.reports += 1
                    self.diagnostics = {pair.key: pair.value for pair in status.values}
                    self._changed.notify_all()

    def forget(self) -> None:
        """Forget all answers so far."""
        with self._changed:
            self.answers.clear()
            self.statistics.clear()

    def wait_for(self, condition: Callable[[], T], timeout: float, what: str) -> T:
        """The first truthy value of `condition`, looked at whenever something arrives.

        Raises Unanswered, which says that `what` did not come, after `timeout` s.
        """
        value: list[T] = []

        def look() -> bool:
            value[:] = [condition()]
            return bool(value[0])

        with self._changed:
            if not self._changed.wait_for(look, timeout):
                raise Unanswered(f'{what} did not come within {timeout:g} s')
        return value[0]

    def call(
        self,
        kind: Any,
        service: str,
        timeout: float,
        is_alive: Callable[[], bool] = lambda: True,
        **fields: Any,
    ) -> Any:
        """The response of `service`.

        Raises Unanswered after `timeout` s, or as soon as `is_alive` is False.
        """
        if service not in self._clients:
            self._clients[service] = self.node.create_client(kind, service)
        client, request = self._clients[service], kind.Request(**fields)
        asked: list[Future] = []
        begin = last = time.monotonic()
        while (now := time.monotonic()) - begin < timeout and is_alive():
            if not asked or now - last > LATE:
                if not client.wait_for_service(PULSE):
                    continue
                last = now
                asked.append(client.call_async(request))
                asked[-1].add_done_callback(self._wake)
            with self._changed:
                self._changed.wait_for(lambda: any(one.done() for one in asked), PULSE)
            for future in asked:
                if future.done():
                    return future.result()
        raise Unanswered(f'{service} did not answer within {timeout:g} s')

    def _wake(self, future: Future) -> None:
        with self._changed:
            self._changed.notify_all()

    def state(self, timeout: float = 10.0) -> str:
        """The lifecycle state of the node, in a word."""
        return self.call(GetState, f'{NODE}/get_state', timeout).current_state.label
