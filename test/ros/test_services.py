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

"""Services whose callbacks fail."""

from __future__ import annotations

from typing import Any

from rcl_interfaces.msg import Log
from rclpy.node import Node
from std_srvs.srv import Trigger
from waiting import wait_until

from snn_perception.nodes.services import guard_services, take_over


def test_request_that_a_callback_cannot_handle_is_refused_and_survived(robot: Any) -> None:
    node = Node('fragile', namespace=robot.namespace)
    node.create_service(Trigger, 'broken', lambda request, response: 1 / 0)
    guard_services(node)
    log = robot.listen(Log, '/rosout')
    robot.add(node)
    for _ in range(2):
        assert not robot.call(Trigger, 'broken').success
    message = log.wait_for(lambda message: message.name == f'{robot.namespace[1:]}.fragile')
    assert 'broken refused: ZeroDivisionError: division by zero' in message.msg


def test_service_that_takes_its_time_holds_up_no_other(robot: Any) -> None:
    from rclpy.task import Future

    node = Node('patient', namespace=robot.namespace)
    done = Future()

    async def wait(request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.message = await done
        return response

    def finish(request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        done.set_result('at last')
        response.success = True
        return response

    node.create_service(Trigger, 'slow', print)
    node.create_service(Trigger, 'quick', finish)
    take_over(node, 'slow', wait)
    guard_services(node)
    robot.add(node)
    client = robot.node.create_client(Trigger, 'slow')
    assert client.wait_for_service(20)
    pending = client.call_async(Trigger.Request())
    assert robot.call(Trigger, 'quick').success
    wait_until(pending.done)
    assert pending.result().message == 'at last'
