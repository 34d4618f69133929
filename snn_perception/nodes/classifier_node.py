"""The lifecycle node that classifies what a camera publishes."""

from __future__ import annotations

import math
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.qos import QoSProfile, ReliabilityPolicy, qos_policy_name_from_kind
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Float64, Header, String
from std_srvs.srv import SetBool, Trigger
from vision_msgs.msg import Classification

from snn_perception.backends import Interrupted
from snn_perception.nodes import messages
from snn_perception.nodes.health import Health, Level, Report
from snn_perception.nodes.mailbox import Worker
from snn_perception.nodes.parameter_server import ParameterServer
from snn_perception.nodes.parameters import ClassifierParameters
from snn_perception.nodes.process import Stop
from snn_perception.nodes.recognition import Answer, Recognizer

SUCCESS = TransitionCallbackReturn.SUCCESS
FAILURE = TransitionCallbackReturn.FAILURE
ERROR = TransitionCallbackReturn.ERROR

LOG_PERIOD = 5.0
"""Seconds between two log lines about the same kind of trouble."""


class ClassifierNode(LifecycleNode):
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
        self._trouble = ''
        self._topic = self.resolve_topic_name('image_raw')
        self._health = Health()
        self._server = ParameterServer(
            self, ClassifierParameters, lambda: self._recognizer is not None
        )
        self._name = self.get_fully_qualified_name().lstrip('/')
        self._classification = self.create_lifecycle_publisher(
            Classification, '~/classification', 10
        )
        self._label = self.create_lifecycle_publisher(String, '~/label', 10)
        self._statistics = self.create_lifecycle_publisher(DiagnosticArray, '~/statistics', 10)
        self._energy = self.create_lifecycle_publisher(Float64, '~/energy', 10)
        self._firing_rate = self.create_lifecycle_publisher(Float64, '~/firing_rate', 10)
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self.create_service(SetBool, '~/enable', self._on_enable)
        self.create_service(Trigger, '~/reset', self._on_reset)
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(1.0, self._publish_diagnostics, clock=clock)

    @property
    def parameters(self) -> ClassifierParameters:
        """The parameters now."""
        return self._server.values

    # --- lifecycle ---

    def start(self) -> bool:
        """Configure and activate; whether that worked."""
        return self.trigger_configure() == SUCCESS and self.trigger_activate() == SUCCESS

    def close(self) -> None:
        """Stop working and destroy the node, in whatever state it is."""
        self._end_work()
        self.destroy_node()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model and run it once; on failure say why and stay unconfigured."""
        start = time.monotonic()
        try:
            self._server.require_valid()
            recognizer = Recognizer.load(self.parameters, lambda: self._stop.requested)
        except Interrupted:
            return FAILURE
        except Exception as reason:
            known = isinstance(reason, ValueError)
            self._trouble = f'{"" if known else type(reason).__name__ + ": "}{reason}'
            self.get_logger().error(f'cannot be configured: {self._trouble}')
            return FAILURE
        self._trouble = ''
        self._recognizer = recognizer
        model = recognizer.model
        self.get_logger().info(
            f'model {model.name} with {len(model.labels)} classes and {model.network.neurons} '
            f'neurons runs with {recognizer.engine}; ready after '
            f'{time.monotonic() - start:.1f} s; host power: {recognizer.power_source}'
        )
        return super().on_configure(state)

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

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop to work, and keep the model."""
        return super().on_deactivate(state) if self._end_work() else ERROR

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Let go of the model."""
        self._recognizer = None
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop to work and let go of the model."""
        self._end_work()
        self._recognizer = None
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """After a transition that failed halfway: back to unconfigured."""
        self._end_work()
        self._recognizer = None
        return super().on_error(state)

    def _end_work(self) -> bool:
        """Unsubscribe and end the worker; False if it does not come to an end."""
        self._unsubscribe()
        worker, self._worker = self._worker, None
        if worker is None or worker.stop():
            return True
        self.get_logger().error('the engine does not stop')
        return False

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
        self._trouble = ''

    def _on_frame(self, message: Any) -> None:
        if self._worker is not None:
            self._health.received(self._worker.mailbox.put(message))

    def _on_incompatible(self, event: Any) -> None:
        policy = qos_policy_name_from_kind(event.last_policy_kind)
        self._trouble = (
            f'a publisher on {self._topic} is not heard: requested incompatible QoS '
            f'({policy}), reliability is {self.parameters.reliability}'
        )
        self.get_logger().warning(self._trouble)

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
                pixels, _stamp(message.header), parameters, lambda: worker.is_stopping
            )
        except Interrupted:
            return
        if answer.restart:
            self._health.restarted()
            self.get_logger().warning(
                f'stream begins again: {answer.restart}', throttle_duration_sec=LOG_PERIOD
            )
        if self._enabled:
            self._publish(recognizer, message.header, answer, time.perf_counter() - start)

    def _on_failure(self, reason: Exception) -> None:
        sentence = f'{type(reason).__name__}: {reason}'
        self._health.failed(sentence)
        self.get_logger().error(
            f'frame could not be classified: {sentence}', throttle_duration_sec=LOG_PERIOD
        )

    def _publish(
        self, recognizer: Recognizer, header: Any, answer: Answer, processing: float
    ) -> None:
        parameters, decision = self.parameters, answer.decision
        stamp, now = _stamp(header), self.get_clock().now().nanoseconds
        # A camera that does not stamp its frames leaves zero.
        latency = (now - stamp) / 1e9 if stamp else math.nan
        label = messages.label(decision, parameters.min_confidence)
        times = {'latency': latency, 'processing': processing, 'network': answer.network_time}
        self._classification.publish(
            messages.classification(
                header, decision, recognizer.model.labels, parameters.max_hypotheses
            )
        )
        self._label.publish(label)
        self._statistics.publish(
            messages.statistics(
                header,
                f'{self._name}: decision',
                recognizer.engine,
                answer,
                label.data,
                times,
            )
        )
        self._energy.publish(messages.number(answer.energies[parameters.energy_chip]))
        self._firing_rate.publish(messages.number(decision.firing_rate))
        self._health.classified(latency)

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
        if recognizer is None:
            report = Report(
                Level.ERROR if self._trouble else Level.OK, self._trouble or 'not configured', {}
            )
        elif self._worker is None:
            report = Report(Level.OK, 'not active', {})
        elif not self._enabled:
            report = Report(Level.OK, 'disabled', {})
        else:
            publishers = self.count_publishers(self._topic)
            report = self._health.report(self._topic, publishers, self._trouble)
        values = dict(report.values)
        if recognizer is not None:
            values['model'] = recognizer.model.name
            values['backend'] = recognizer.simulator.name
            values['device'] = recognizer.simulator.device
            values['host_power_source'] = recognizer.power_source
        header = Header(stamp=self.get_clock().now().to_msg())
        self._diagnostics.publish(
            messages.diagnostics(
                header,
                f'{self._name}: frames',
                recognizer.engine if recognizer is not None else '',
                report.level,
                report.message,
                values,
            )
        )


def _stamp(header: Any) -> int:
    """Stamp of `header` in ns."""
    return header.stamp.sec * 1_000_000_000 + header.stamp.nanosec
