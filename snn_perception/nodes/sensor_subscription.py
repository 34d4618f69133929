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

"""The subscription to a sensor, which follows what is asked for and who publishes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.event_handler import SubscriptionEventCallbacks, UnsupportedEventTypeError
from rclpy.node import Node
from rclpy.qos import (
    QoSCompatibility,
    QoSPolicyKind,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
)
from rclpy.qos_overriding_options import QoSOverridingOptions

from snn_perception.nodes.diagnostics.verdict import Source

OVERRIDABLE = (QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH, QoSPolicyKind.DURABILITY)


class SensorSubscription:
    """Has `on_message` called with the messages of the sensor on `topic`, while it is open.

    At most `depth` of them wait in the middleware. With reliability 'auto' it is reliable as long
    as all publishers are. `on_change` is called soon after publishers came, went or turned out
    not to be heard: a reason to subscribe again.
    All methods are for the thread that runs the callbacks of `node`.
    """

    def __init__(
        self,
        node: Node,
        topic: str,
        on_message: Callable[[Any], None],
        on_change: Callable[[], None],
        depth: int = 1,
    ) -> None:
        self.topic = node.resolve_topic_name(topic)
        self._node = node
        self._on_message = on_message
        self._on_change = on_change
        self._depth = depth
        self._subscription: Any = None
        self._setting: tuple[str, ReliabilityPolicy] | None = None
        self._overrides_reliability: dict[str, bool] = {}

    def __str__(self) -> str:
        if self._setting is None:
            return f'{self.topic} (not subscribed)'
        topic, reliability = self._setting
        return f'{topic} ({reliability.name.lower().replace("_", " ")})'

    @property
    def is_open(self) -> bool:
        """Whether it is subscribed."""
        return self._subscription is not None

    def subscribe(self, kind: type, topic: str, reliability: str) -> bool:
        """Subscribe to messages of `kind` on `topic`; whether anything changed.

        `reliability` is 'auto', 'best_effort' or 'reliable'.
        """
        setting = topic, self._reliability(topic, reliability)
        if setting == self._setting:
            return False
        self.close()
        self._open(kind, *setting)
        self._setting = setting
        return True

    def close(self) -> None:
        """Unsubscribe, if that is not done."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
        self._subscription = self._setting = None

    def source(self) -> Source | None:
        """What the graph says about the sensor, None while there is no subscription."""
        if self._subscription is None:
            return None
        topic = self._subscription.topic_name
        qos = self._subscription.qos_profile
        offers = [
            qos_check_compatible(publisher.qos_profile, qos)
            for publisher in self._node.get_publishers_info_by_topic(topic)
        ]
        refused = [reason for offer, reason in offers if offer == QoSCompatibility.ERROR]
        unheard = ''
        if refused:
            reason = refused[0].removeprefix('ERROR: ').rstrip('; ')
            whose = 'whose publishers offer' if len(refused) == len(offers) else 'where some offer'
            remedy = ''
            if qos.reliability == ReliabilityPolicy.RELIABLE:
                remedy = '; with the parameter reliability at best_effort they would be heard'
            unheard = f'{whose} incompatible QoS ({reason}){remedy}'
        return Source(topic, len(offers), unheard, is_deaf=len(refused) == len(offers) > 0)

    def _reliability(self, topic: str, wanted: str) -> ReliabilityPolicy:
        if wanted != 'auto':
            return ReliabilityPolicy[wanted.upper()]
        offered = {
            publisher.qos_profile.reliability
            for publisher in self._node.get_publishers_info_by_topic(topic)
        }
        # Without a publisher it is reliable: one that is too then finds it there, and the first
        # message is not lost in an exchange.
        if offered <= {ReliabilityPolicy.RELIABLE}:
            return ReliabilityPolicy.RELIABLE
        return ReliabilityPolicy.BEST_EFFORT

    def _open(self, kind: type, topic: str, reliability: ReliabilityPolicy) -> None:
        policies = [*OVERRIDABLE]
        if self._is_overridden(topic):
            policies.append(QoSPolicyKind.RELIABILITY)
        changed = self._changed
        for events in (
            SubscriptionEventCallbacks(matched=changed, incompatible_qos=changed),
            SubscriptionEventCallbacks(),  # for a middleware that does not tell
        ):
            try:
                self._subscription = self._node.create_subscription(
                    kind,
                    topic,
                    self._on_message,
                    QoSProfile(depth=self._depth, reliability=reliability),
                    # Its own, since a group never forgets its subscriptions.
                    callback_group=ReentrantCallbackGroup(),
                    event_callbacks=events,
                    qos_overriding_options=QoSOverridingOptions(policies),
                )
                return
            except UnsupportedEventTypeError:
                continue

    def _is_overridden(self, topic: str) -> bool:
        """Whether ROS's own parameter for the reliability of this subscription was given."""
        if topic not in self._overrides_reliability:
            name = f'qos_overrides.{topic}.subscription.reliability'
            anything = ParameterDescriptor(dynamic_typing=True)
            given = self._node.declare_parameter(name, None, anything).value
            self._node.undeclare_parameter(name)
            self._overrides_reliability[topic] = given is not None
        return self._overrides_reliability[topic]

    def _changed(self, _: Any) -> None:
        # Later, since the subscription whose event this is may have to go.
        if self._node.executor is not None:
            self._node.executor.create_task(self._on_change)
