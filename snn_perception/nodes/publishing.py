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

"""The topics on which the classifier answers."""

from __future__ import annotations

from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.lifecycle import LifecycleNode
from std_msgs.msg import Float64, String
from vision_msgs.msg import Classification

from snn_perception.nodes import messages
from snn_perception.nodes.frames import nanoseconds
from snn_perception.nodes.latency import Latency, latency
from snn_perception.nodes.parameters import ClassifierParameters
from snn_perception.nodes.recognition import Answer

DEPTH = 10


class AnswerPublishers:
    """Publishes answers on the private topics of `node`, while that is active."""

    def __init__(self, node: LifecycleNode) -> None:
        self._clock = node.get_clock()
        self._name = node.get_fully_qualified_name().lstrip('/')

        def publisher(kind: type, topic: str) -> Any:
            return node.create_lifecycle_publisher(kind, topic, DEPTH)

        self._classification = publisher(Classification, '~/classification')
        self._label = publisher(String, '~/label')
        self._statistics = publisher(DiagnosticArray, '~/statistics')
        self._energy = publisher(Float64, '~/energy')
        self._firing_rate = publisher(Float64, '~/firing_rate')

    def publish(
        self, header: Any, answer: Answer, parameters: ClassifierParameters, processing: float
    ) -> Latency:
        """Publish `answer` to the frame with `header`, processed in `processing` s.

        Returns the latency from the frame's stamp.
        """
        decision = answer.decision
        delay = latency(nanoseconds(header), self._clock.now().nanoseconds)
        times = {
            'latency': delay.seconds,
            'processing': processing,
            'network': answer.network_time,
        }
        label = messages.label(decision, parameters.min_confidence)
        self._classification.publish(
            messages.classification(header, decision, answer.labels, parameters.max_hypotheses)
        )
        self._label.publish(label)
        self._statistics.publish(
            messages.statistics(header, f'{self._name}: decision', answer, label.data, times)
        )
        self._energy.publish(messages.number(answer.energies[parameters.energy_chip]))
        self._firing_rate.publish(messages.number(decision.firing_rate))
        return delay
