"""The lifecycle node that classifies what a camera publishes."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.qos import QoSProfile, ReliabilityPolicy, qos_policy_name_from_kind
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header
from std_srvs.srv import SetBool, Trigger

from snn_perception.decision import Interrupted
from snn_perception.nodes import messages
from snn_perception.nodes.health import Health, Level, Report
from snn_perception.nodes.mailbox import Worker
from snn_perception.nodes.parameter_server import ParameterNode, ParameterServer
from snn_perception.nodes.parameters import ClassifierParameters
from snn_perception.nodes.process import Stop
from snn_perception.nodes.publishing import AnswerPublishers, nanoseconds
from snn_perception.nodes.recognition import Recognizer

SUCCESS = TransitionCallbackReturn.SUCCESS
FAILURE = TransitionCallbackReturn.FAILURE
ERROR = TransitionCallbackReturn.ERROR

LOG_PERIOD = 5.0
"""Seconds between two log lines about the same kind of trouble."""


Transition = Callable[['ClassifierNode', LifecycleState], TransitionCallbackReturn]


def reported(transition: Transition) -> Transition:
    """`transition`, with what it raises logged: rclpy would swallow it."""

    @wraps(transition)
    def run(self: ClassifierNode, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return transition(self, state)
        except Exception as reason:
            self.fail(f'{transition.__name__} failed: {type(reason).__name__}: {reason}')
            return ERROR

    return run


class ClassifierNode(ParameterNode, LifecycleNode):
    """Keeps the newest frame, classifies it in a worker thread, publishes the answer.

    Configured it holds the model, active it also subscribes and works. `stop` ends what
    takes long.
    """

    def __init__(self, stop: Stop, **options: Any) -> None:
        super().__init__('snn_classifier', **options)
        self._stop = stop
        self._recognizer: Recognizer | None = None
        self._worker: Worker[Any] | None = None
        self._subscription: Any = None
        self._enabled = True
        self._failure = ''
        self._warning = ''
        self._topic = self.resolve_topic_name('image_raw')
        self._health = Health()
        self.server = ParameterServer(
            self, ClassifierParameters, lambda: self._recognizer is not None
        )
        self._answers = AnswerPublishers(self)
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self.create_service(SetBool, '~/enable', self._on_enable)
        self.create_service(Trigger, '~/reset', self._on_reset)
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(1.0, self._publish_diagnostics, clock=clock)

    @property
    def parameters(self) -> ClassifierParameters:
        """The parameters now."""
        return self.server.values

    # --- lifecycle ---

    def start(self) -> bool:
        """Configure and activate; whether that worked."""
        return self.trigger_configure() == SUCCESS and self.trigger_activate() == SUCCESS

    def fail(self, reason: str) -> None:
        """Log why a transition failed, and show it in the diagnostics."""
        self._failure = reason
        self.get_logger().error(reason)

    def close(self) -> None:
        """Stop working and destroy the node, in whatever state it is."""
        self._end_work()
        self._let_go()
        self.destroy_node()

    @reported
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
            self.fail(f'cannot be configured: {reason}')
            return FAILURE
        except Exception as reason:
            self.fail(f'cannot be configured: {type(reason).__name__}: {reason}')
            return FAILURE
        self._failure = ''
        self._recognizer = recognizer
        model = recognizer.model
        self.get_logger().info(
            f'model {model.name} with {len(model.labels)} classes and {model.network.neurons} '
            f'neurons runs with {recognizer.engine}; ready after '
            f'{time.monotonic() - start:.1f} s; host power: {recognizer.meter.description}'
        )
        return super().on_configure(state)

    @reported
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe to the camera and begin to work."""
        result = super().on_activate(state)
        assert self._recognizer is not None
        self._recognizer.reset()
        self._health.reset()
        self._worker = Worker(self._classify, self._on_failure)
        self._worker.start()
        if self._enabled:
            self._subscribe()
        return result

    @reported
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop to work, and keep the model."""
        return super().on_deactivate(state) if self._end_work() else ERROR

    @reported
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Let go of the model."""
        self._let_go()
        return super().on_cleanup(state)

    @reported
    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop to work and let go of the model."""
        self._end_work()
        self._let_go()
        return super().on_shutdown(state)

    @reported
    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """After a transition that failed halfway: back to unconfigured."""
        self._end_work()
        self._let_go()
        return super().on_error(state)

    def _end_work(self) -> bool:
        """Unsubscribe and end the worker; False if it does not come to an end."""
        self._unsubscribe()
        worker, self._worker = self._worker, None
        if worker is None or worker.stop():
            return True
        self.get_logger().error('the engine does not stop')
        return False

    def _let_go(self) -> None:
        """Let go of the model and of the sensors."""
        recognizer, self._recognizer = self._recognizer, None
        if recognizer is not None:
            recognizer.close()

    # --- frames ---

    def _subscribe(self) -> None:
        parameters = self.parameters
        self._topic = self.resolve_topic_name('image_raw')
        kind = Image
        if parameters.image_transport == 'compressed':
            self._topic += '/compressed'
            kind = CompressedImage
        reliability = ReliabilityPolicy[parameters.reliability.upper()]
        self._subscription = self.create_subscription(
            kind,
            self._topic,
            self._on_frame,
            QoSProfile(depth=1, reliability=reliability),
            event_callbacks=SubscriptionEventCallbacks(incompatible_qos=self._on_incompatible),
        )
        self._topic = self._subscription.topic_name
        self.get_logger().info(f'classifying {self._topic}')

    def _unsubscribe(self) -> None:
        if self._subscription is not None:
            self.destroy_subscription(self._subscription)
            self._subscription = None
        self._warning = ''

    def _on_frame(self, message: Any) -> None:
        if self._worker is not None:
            self._health.received(self._worker.mailbox.put(message))

    def _on_incompatible(self, event: Any) -> None:
        policy = qos_policy_name_from_kind(event.last_policy_kind)
        self._warning = (
            f'a publisher on {self._topic} is not heard: requested incompatible QoS '
            f'({policy}), reliability is {self.parameters.reliability}'
        )
        self.get_logger().warning(self._warning)

    def _classify(self, message: Any) -> None:
        """In the worker: answer one frame, or say why it cannot be answered."""
        recognizer, worker, parameters = self._recognizer, self._worker, self.parameters
        if recognizer is None or worker is None:
            return
        start = time.perf_counter()
        try:
            pixels = recognizer.read(message, parameters)
        except ValueError as reason:
            self._health.rejected(str(reason))
            self.get_logger().warning(
                f'frame rejected: {reason}', throttle_duration_sec=LOG_PERIOD
            )
            return
        try:
            answer = recognizer.decide(
                pixels, nanoseconds(message.header), parameters, lambda: worker.is_stopping
            )
        except Interrupted:
            return
        if answer.restart:
            self._health.restarted()
            self.get_logger().warning(
                f'stream begins again: {answer.restart}', throttle_duration_sec=LOG_PERIOD
            )
        if self._enabled:
            processing = time.perf_counter() - start
            latency = self._answers.publish(message.header, answer, parameters, processing)
            self._health.classified(latency)

    def _on_failure(self, reason: Exception) -> None:
        sentence = f'{type(reason).__name__}: {reason}'
        self._health.failed(sentence)
        self.get_logger().error(
            f'frame could not be classified: {sentence}', throttle_duration_sec=LOG_PERIOD
        )

    # --- services and diagnostics ---

    def _on_enable(self, request: Any, response: Any) -> Any:
        self._enabled = request.data
        if self._worker is not None and self._enabled and self._subscription is None:
            self._subscribe()
        elif not self._enabled:
            self._unsubscribe()
            if self._worker is not None:
                self._worker.mailbox.clear()
        response.success = True
        response.message = 'enabled' if self._enabled else 'disabled'
        return response

    def _on_reset(self, request: Any, response: Any) -> Any:
        self._health.reset()
        if self._recognizer is not None:
            self._recognizer.reset()
        response.success = self._recognizer is not None
        response.message = 'reset' if response.success else 'the node is not configured'
        return response

    def _publish_diagnostics(self) -> None:
        recognizer = self._recognizer
        if self._failure:
            report = Report(Level.ERROR, self._failure, {})
        elif recognizer is None:
            report = Report(Level.OK, 'not configured', {})
        elif self._worker is None:
            report = Report(Level.OK, 'not active', {})
        elif not self._enabled:
            report = Report(Level.OK, 'disabled', {})
        else:
            publishers = self.count_publishers(self._topic)
            report = self._health.report(self._topic, publishers, self._warning)
        values = dict(report.values)
        if recognizer is not None:
            values['model'] = recognizer.model.name
            values['backend'] = recognizer.simulator.name
            values['device'] = recognizer.simulator.device
            values['host_power_source'] = recognizer.meter.source
        header = Header(stamp=self.get_clock().now().to_msg())
        self._diagnostics.publish(
            messages.diagnostics(
                header,
                f'{self.get_fully_qualified_name().lstrip("/")}: frames',
                recognizer.engine if recognizer is not None else '',
                report.level,
                report.message,
                values,
            )
        )
