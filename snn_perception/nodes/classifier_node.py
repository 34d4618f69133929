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

"""The lifecycle node that classifies what a camera publishes."""

from __future__ import annotations

import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from std_msgs.msg import Header
from std_srvs.srv import SetBool, Trigger

from snn_perception.decision import Interrupted
from snn_perception.nodes import messages
from snn_perception.nodes.frame_pipeline import FramePipeline
from snn_perception.nodes.lifecycle import ERROR, FAILURE, SUCCESS, SupervisedNode, leads_to
from snn_perception.nodes.parameter_server import ParameterNode, ParameterServer
from snn_perception.nodes.parameters import ClassifierParameters
from snn_perception.nodes.process import Stop
from snn_perception.nodes.publishing import AnswerPublishers
from snn_perception.nodes.recognition import Recognizer
from snn_perception.nodes.verdict import Level, Report

DIAGNOSTICS_PERIOD = 1.0
"""Seconds between two messages on /diagnostics."""


class ClassifierNode(ParameterNode, SupervisedNode):
    """Classifies the newest frame of a camera in a worker thread, and publishes the answer.

    Configured it holds the model; active it also has a pipeline, which subscribes and works
    unless the node is disabled. `stop` ends what takes long.
    """

    def __init__(self, stop: Stop, **options: Any) -> None:
        super().__init__('snn_classifier', **options)
        self._stop = stop
        self._recognizer: Recognizer | None = None
        self._pipeline: FramePipeline | None = None
        self._orphans: list[FramePipeline] = []
        self._enabled = True
        self.server = ParameterServer(
            self, ClassifierParameters, is_locked=lambda: self._recognizer is not None
        )
        self._answers = AnswerPublishers(self)
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self.create_service(SetBool, '~/enable', self._on_enable)
        self.create_service(Trigger, '~/reset', self._on_reset)
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(DIAGNOSTICS_PERIOD, self._publish_diagnostics, clock=clock)

    @property
    def parameters(self) -> ClassifierParameters:
        """The parameters now."""
        return self.server.values

    # --- lifecycle ---

    def start(self) -> bool:
        """Configure and activate; whether that worked."""
        return self.trigger_configure() == SUCCESS and self.trigger_activate() == SUCCESS

    def close(self) -> None:
        """Stop working and destroy the node, in whatever state it is."""
        self._end_work()
        self._let_go()
        self.destroy_node()

    @leads_to('inactive')
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model and run it once; on failure say why and stay unconfigured."""
        start = time.monotonic()
        self.get_logger().info('loading; the first time on a machine this compiles for seconds')
        try:
            self.server.require_valid()
            recognizer = Recognizer.load(self.parameters, lambda: self._stop.requested)
        except Interrupted:
            return FAILURE
        except ValueError as reason:
            self.fail('inactive', f'cannot be configured: {reason}')
            return FAILURE
        except Exception as reason:
            self.fail('inactive', f'cannot be configured: {type(reason).__name__}: {reason}')
            return FAILURE
        self._recognizer = recognizer
        model = recognizer.model
        self.get_logger().info(
            f'model {model.name} with {len(model.labels)} classes and {model.network.neurons} '
            f'neurons runs with {recognizer.engine}; ready after '
            f'{time.monotonic() - start:.1f} s; host power: {recognizer.meter.description}'
        )
        return super().on_configure(state)

    @leads_to('active')
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to work, which means to subscribe unless the node is disabled."""
        result = super().on_activate(state)
        assert self._recognizer is not None
        self._recognizer.reset()
        self._pipeline = FramePipeline(
            self, self._recognizer, self._answers, lambda: self.parameters
        )
        if self._enabled:
            self._pipeline.resume()
        return result

    @leads_to('inactive')
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop working, and keep the model."""
        result = super().on_deactivate(state)
        if self._end_work():
            return result
        self.fail('inactive', 'cannot be deactivated: the engine does not stop')
        return ERROR

    @leads_to('unconfigured')
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Let go of the model."""
        self._let_go()
        return super().on_cleanup(state)

    @leads_to('finalized')
    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop working, as far as the engine does, and let go of the model."""
        self._end_work()
        self._let_go()
        return super().on_shutdown(state)

    @leads_to('')
    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """After a transition that failed halfway: back to unconfigured."""
        self._end_work()
        self._let_go()
        return super().on_error(state)

    def _end_work(self) -> bool:
        """Unsubscribe and end the worker; False if it does not come to an end."""
        pipeline, self._pipeline = self._pipeline, None
        if pipeline is None or pipeline.stop():
            return True
        self.get_logger().error('the engine does not stop')
        self._orphans.append(pipeline)
        return False

    def _let_go(self) -> None:
        """Let go of the model and of the sensors."""
        recognizer, self._recognizer = self._recognizer, None
        if recognizer is not None:
            recognizer.close()

    # --- services and diagnostics ---

    def _on_enable(self, request: Any, response: Any) -> Any:
        self._enabled = request.data
        if self._pipeline is not None:
            if self._enabled:
                self._pipeline.resume()
            else:
                self._pipeline.pause()
        response.success = True
        response.message = 'enabled' if self._enabled else 'disabled'
        return response

    def _on_reset(self, request: Any, response: Any) -> Any:
        if self._pipeline is not None:
            self._pipeline.reset()
        response.success = self._recognizer is not None
        response.message = 'reset' if response.success else 'the node is not configured'
        return response

    def _report(self) -> Report:
        """How the node is: what it could not do comes before what it does."""
        self._orphans = [pipeline for pipeline in self._orphans if pipeline.is_running]
        if self.failure:
            return Report(Level.ERROR, self.failure, {})
        if self._orphans:
            return Report(Level.ERROR, 'an engine that was told to stop still runs', {})
        if self._recognizer is None:
            return Report(Level.OK, 'not configured', {})
        if self._pipeline is None:
            return Report(Level.OK, 'not active', {})
        return self._pipeline.report()

    def _publish_diagnostics(self) -> None:
        recognizer, report = self._recognizer, self._report()
        values = dict(report.values)
        if recognizer is not None:
            values['model'] = recognizer.model.name
            values['backend'] = recognizer.simulator.name
            values['device'] = recognizer.simulator.device
            values['host_power_source'] = recognizer.meter.source
        self._diagnostics.publish(
            messages.diagnostics(
                Header(stamp=self.get_clock().now().to_msg()),
                f'{self.get_fully_qualified_name().lstrip("/")}: frames',
                recognizer.engine if recognizer is not None else '',
                report.level,
                report.message,
                values,
            )
        )
