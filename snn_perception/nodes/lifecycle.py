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

"""What a lifecycle node needs under a supervisor that makes mistakes, or sees transitions fail."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

SUCCESS = TransitionCallbackReturn.SUCCESS
FAILURE = TransitionCallbackReturn.FAILURE
ERROR = TransitionCallbackReturn.ERROR

Transition = Callable[[Any, LifecycleState], TransitionCallbackReturn]


class SupervisedNode(LifecycleNode):
    """A lifecycle node that remembers what failed, and survives requests that make no sense.

    Its transitions are decorated with `leads_to`.
    """

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **options)
        self.failure = ''
        self._missed_goal = ''
        service = next(one for one in self.services if one.srv_name.endswith('/change_state'))
        change_state = service.callback

        def change_if_allowed(request: Any, response: Any) -> Any:
            # rclpy raises for a transition that the state does not allow: that would end the node.
            try:
                return change_state(request, response)
            except RuntimeError as reason:
                self.get_logger().error(f'transition {request.transition.id} refused: {reason}')
                response.success = False
                return response

        service.callback = change_if_allowed

    def fail(self, goal: str, reason: str) -> None:
        """Log why the state `goal` was not reached, and put it into `failure`.

        There it stays until that state or the active one is reached by a transition that works.
        """
        self.failure, self._missed_goal = reason, goal
        self.get_logger().error(reason)

    def reach(self, goal: str) -> None:
        """Note that a transition to the state `goal` worked."""
        if goal in (self._missed_goal, 'active'):
            self.failure = self._missed_goal = ''


def leads_to(goal: str) -> Callable[[Transition], Transition]:
    """Decorates a transition of a SupervisedNode to the state `goal`.

    What the transition raises becomes the failure of the node, since rclpy would swallow it.
    """

    def decorate(transition: Transition) -> Transition:
        @wraps(transition)
        def run(node: SupervisedNode, state: LifecycleState) -> TransitionCallbackReturn:
            try:
                result = transition(node, state)
            except Exception as reason:
                node.fail(goal, f'{transition.__name__} failed: {type(reason).__name__}: {reason}')
                return ERROR
            if result == SUCCESS:
                node.reach(goal)
            return result

        return run

    return decorate
