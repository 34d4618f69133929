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

"""What a classifier tells an operator about itself, beside its answers."""

from __future__ import annotations

from collections.abc import Sequence

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node
from std_msgs.msg import Header

from snn_perception.nodes.answers import messages
from snn_perception.nodes.answers.loaded_model import LoadedModel
from snn_perception.nodes.answers.publishing import status_name
from snn_perception.nodes.diagnostics.host import Host
from snn_perception.nodes.diagnostics.verdict import Level, Report


class NodeReport:
    """Makes the statuses that `node` publishes on /diagnostics: one for each sensor.

    They are called by the `subject` of the answers, such as frames.
    """

    def __init__(self, node: Node, subject: str) -> None:
        self._node = node
        self._subject = subject
        self._host = Host()

    def header(self) -> Header:
        """A header with the time now."""
        return Header(stamp=self._node.get_clock().now().to_msg())

    def statuses(
        self,
        failure: str,
        recognizer: LoadedModel | None,
        reports: Sequence[Report] | None,
        sensors: Sequence[str],
    ) -> list[DiagnosticStatus]:
        """The statuses now, with `reports` for each of `sensors`, or None if it is not active.

        What the node could not do, `failure`, comes before what it does.
        """
        common = self._host.read()
        if recognizer is not None:
            common |= {
                'model': recognizer.model.name,
                'backend': recognizer.simulator.name,
                'device': recognizer.simulator.device,
                'host_power_source': recognizer.meter.source,
            }
        if failure or reports is None:
            idle = 'not configured' if recognizer is None else 'not active'
            level = Level.ERROR if failure else Level.OK
            reports = [Report(level, failure or idle, {}) for _ in sensors]
        twin = self._twin()
        hardware = recognizer.hardware if recognizer is not None else ''
        return [
            messages.status(
                f'{status_name(self._node, sensor)}{self._subject}',
                hardware,
                Level.WARN if twin and report.level == Level.OK else report.level,
                twin if twin and report.level == Level.OK else report.message,
                {**report.values, **common},
            )
            for sensor, report in zip(sensors, reports, strict=True)
        ]

    def _twin(self) -> str:
        """A sentence if another node has the same name, which confuses all who call by name."""
        own = self._node.get_name(), self._node.get_namespace()
        if self._node.get_node_names_and_namespaces().count(own) < 2:
            return ''
        return f'another node is called {self._node.get_fully_qualified_name()} too'
