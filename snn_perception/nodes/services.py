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

"""Services that survive requests which make no sense, and that may take their time."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isawaitable
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.service import Service

Callback = Callable[[Any, Any], Any]


def guard_services(node: Node) -> None:
    """Have all services of `node` so far refuse what their callbacks cannot handle.

    An exception would end the process. So would a client that is gone before its answer.
    """
    for service in node.services:
        _guard(service, node)


def _guard(service: Service, node: Node) -> None:
    callback: Callback = service.callback
    send = service.send_response

    async def answer(request: Any, response: Any) -> Any:
        try:
            result = callback(request, response)
            return await result if isawaitable(result) else result
        except Exception as reason:
            node.get_logger().error(
                f'request to {service.srv_name} refused: {type(reason).__name__}: {reason}'
            )
            return response

    def send_if_heard(response: Any, header: Any) -> None:
        try:
            send(response, header)
        except RuntimeError as reason:
            node.get_logger().warning(f'answer of {service.srv_name} not sent: {reason}')

    service.callback = answer  # type: ignore[assignment]
    service.send_response = send_if_heard  # type: ignore[method-assign]


def take_over(node: Node, name: str, callback: Callback) -> None:
    """Have `callback` answer the service `name` of `node`, in whatever namespace that is.

    It may be a coroutine function: while it waits, nothing else of the node has to.
    """
    service = next(one for one in node.services if one.srv_name.split('/')[-1] == name)
    service.callback = callback
    service.callback_group = ReentrantCallbackGroup()
    service.callback_group.add_entity(service)
