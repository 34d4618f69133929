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

"""What the nodes that classify have in common: lifecycle, model, parameters and services."""

from __future__ import annotations

import threading
import time
from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from std_srvs.srv import SetBool, Trigger

from snn_perception.decision import Interrupted
from snn_perception.nodes.answers.loaded_model import LoadedModel
from snn_perception.nodes.answers.publishing import CameraOutputs
from snn_perception.nodes.diagnostics.node_report import NodeReport
from snn_perception.nodes.lifecycle import ERROR, FAILURE, SUCCESS, SupervisedNode, leads_to
from snn_perception.nodes.parameters.parameter_kinds import Change, table
from snn_perception.nodes.parameters.parameter_server import ParameterNode, ParameterServer
from snn_perception.nodes.pipeline import Pipeline
from snn_perception.nodes.process import Stop
from snn_perception.nodes.services import guard_services

DIAGNOSTICS_PERIOD = 1.0
"""Seconds between two messages on /diagnostics."""


class ClassifyingNode(ParameterNode, SupervisedNode):
    """Classifies what sensors send in a worker thread, and publishes the answers.

    Configured it holds the model; active it also has a pipeline, which subscribes and works
    unless the node is disabled. `stop` ends what takes long, and is requested when an autostarted
    node has come to its end; `exit_status` is then that of the process. The parameters are those
    of the dataclass `kind`, and `check` raises ValueError for values that cannot be. A subclass
    says what is loaded, where answers go and how they come about.
    """

    subject = 'frames'
    """What is classified, as the status on /diagnostics is called."""

    def __init__(
        self,
        name: str,
        kind: type,
        stop: Stop,
        check: Callable[[Any], None] = lambda values: None,
        **options: Any,
    ) -> None:
        super().__init__(name, **options)
        self.exit_status = 0
        self._stop = stop
        self._recognizer: LoadedModel | None = None
        self._pipeline: Pipeline | None = None
        self._orphans: list[Pipeline] = []
        self._enabled = True
        self._exchange = threading.RLock()  # parameters and recognizer change together
        self._loading = threading.Lock()
        self._reloads = [one.name for one in table(kind) if one.change is Change.RELOADS]
        self.server = ParameterServer(self, kind, self._refusal, check)
        self.outputs = self.create_outputs()
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self._report = NodeReport(self, self.subject)
        self.create_service(SetBool, '~/enable', self._on_enable)
        self.create_service(Trigger, '~/reset', self._on_reset)
        guard_services(self)
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(DIAGNOSTICS_PERIOD, self._publish_diagnostics, clock=clock)

    @property
    def parameters(self) -> Any:
        """The parameters now."""
        return self.server.values

    # --- what is classified ---

    @abstractmethod
    def create_outputs(self) -> list[CameraOutputs]:
        """Where the answers to each sensor go."""

    def has_other_sensors(self) -> bool:
        """Whether parameters have changed for which outputs must be created anew."""
        return False

    @abstractmethod
    def load(self, parameters: Any, stop: Callable[[], bool]) -> LoadedModel:
        """What `parameters` ask for; raises as `LoadedModel.load` does."""

    @abstractmethod
    def create_pipeline(self) -> Pipeline:
        """The pipeline of a node that becomes active."""

    # --- lifecycle ---

    def start(self) -> bool:
        """Configure and activate in this thread; whether that worked."""
        return self.trigger_configure() == SUCCESS and self.trigger_activate() == SUCCESS

    async def autostart(self) -> None:
        """Configure and activate, for the executor; if that fails, ask for the end."""
        for transition in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE):
            try:
                result = await self.change_state(transition)
            except RuntimeError as reason:
                self.get_logger().warning(f'autostart: somebody else changed the state: {reason}')
                return
            if result != SUCCESS:
                self.exit_status = 1
                self._stop.request()
                return

    def close(self) -> None:
        """Stop working and destroy the node, in whatever state it is."""
        self._end_work()
        self._let_go()
        self.destroy_node()

    @leads_to('inactive')
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model and run it once; on failure say why and stay unconfigured."""
        try:
            self.server.require_valid()
            recognizer = self._load(self.parameters)
            recognizer.require(self.parameters)  # which may have changed meanwhile
        except Interrupted:
            return FAILURE
        except ValueError as reason:
            self.fail('inactive', f'cannot be configured: {reason}')
            return FAILURE
        except Exception as reason:
            self.fail('inactive', f'cannot be configured: {type(reason).__name__}: {reason}')
            return FAILURE
        self._recognizer = recognizer
        return super().on_configure(state)

    @leads_to('active')
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to work, which means to subscribe unless the node is disabled."""
        result = super().on_activate(state)
        self._pipeline = self.create_pipeline()
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
        if self.parameters.autostart:
            self._stop.request()
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

    # --- the model ---

    def _load(self, parameters: Any) -> LoadedModel:
        """What `parameters` ask for; raises as `LoadedModel.load` does."""
        if not self._loading.acquire(blocking=False):
            raise ValueError('another model is being loaded')
        try:
            start = time.monotonic()
            self.get_logger().info(f'loading model {parameters.model}')
            recognizer = self.load(parameters, lambda: self._stop.requested)
        finally:
            self._loading.release()
        model = recognizer.model
        self.get_logger().info(
            f'model {model.name} with {len(model.labels)} classes and {model.network.neurons} '
            f'neurons runs with {recognizer.hardware}; ready after '
            f'{time.monotonic() - start:.1f} s; host power: {recognizer.meter.description}'
        )
        return recognizer

    def _let_go(self) -> None:
        """Let go of the model and of the sensors."""
        with self._exchange:
            recognizer, self._recognizer = self._recognizer, None
        if recognizer is not None:
            recognizer.close()

    def current(self) -> tuple[Any, Any]:
        """The parameters and what is loaded, which belong together; only while configured."""
        with self._exchange:
            assert self._recognizer is not None
            return self.parameters, self._recognizer

    # --- parameters ---

    def _refusal(self, change: Change) -> str:
        """Why parameters of this kind cannot be changed now, '' if they can."""
        if change is not Change.LIVE and self.state == 'configuring':
            return 'the node is being configured'
        if change is Change.UNCONFIGURED and self._recognizer is not None:
            return 'only before the node is configured; clean it up first'
        return ''

    def preparation(self, values: Any) -> Callable[[], LoadedModel] | None:
        """Load another model beside the present one, if `values` ask for that."""
        if self._recognizer is None:
            return None
        if any(getattr(values, name) != getattr(self.parameters, name) for name in self._reloads):
            return partial(self._load, values)
        self._recognizer.require(values)
        return None

    def commit(
        self, parameters: list[Parameter], prepared: LoadedModel | None
    ) -> SetParametersResult:
        """Set all `parameters` or none, and exchange the model between two answers.

        Raises ValueError if parameters that changed meanwhile do not suit the new model.
        """
        unused = prepared
        try:
            with self._exchange:
                if prepared is not None:
                    prepared.require(self.server.changed(parameters))
                result = super().commit(parameters, prepared)
                if prepared is not None and result.successful and self._recognizer is not None:
                    unused, self._recognizer = self._recognizer, prepared
        finally:
            if unused is not None:
                # It may still have a frame, for which nobody should wait here.
                threading.Thread(target=unused.close, daemon=True).start()
        if self.has_other_sensors():
            for output in self.outputs:
                output.destroy()
            self.outputs = self.create_outputs()
        if self._pipeline is not None:
            self._pipeline.follow()
        return result

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
        self.get_logger().info(response.message)
        return response

    def _on_reset(self, request: Any, response: Any) -> Any:
        if self._pipeline is not None:
            self._pipeline.reset()
        response.success = self._recognizer is not None
        response.message = 'reset' if response.success else 'the node is not configured'
        return response

    def _publish_diagnostics(self) -> None:
        self._orphans = [pipeline for pipeline in self._orphans if pipeline.is_running]
        failure = self.failure
        if self._orphans and not failure:
            failure = 'an engine that was told to stop still runs'
        reports = None if failure or self._pipeline is None else self._pipeline.reports()
        names = [output.name for output in self.outputs]
        statuses = self._report.statuses(failure, self._recognizer, reports, names)
        header = self._report.header()
        self._diagnostics.publish(DiagnosticArray(header=header, status=statuses))
