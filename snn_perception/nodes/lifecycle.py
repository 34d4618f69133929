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
from functools import partial, wraps
from typing import Any

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from snn_perception.nodes.background import in_background
from snn_perception.nodes.services import take_over
from snn_perception.sentences import sentence

SUCCESS = TransitionCallbackReturn.SUCCESS
FAILURE = TransitionCallbackReturn.FAILURE
ERROR = TransitionCallbackReturn.ERROR

Transition = Callable[[Any, LifecycleState], TransitionCallbackReturn]


class SupervisedNode(LifecycleNode):
    """A lifecycle node that remembers what failed, and survives requests that make no sense.

    It configures itself in a thread of its own and answers other requests meanwhile. Its
    transitions are decorated with `leads_to`.
    """

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **options)
        self.failure = ''
        self._missed_goal = ''
        self._is_changing = False
        take_over(self, 'change_state', self._on_change_state)

    @property
    def state(self) -> str:
        """Label of the state that the node is in."""
        return str(self._state_machine.current_state[1])

    def destroy_node(self) -> None:
        """Destroy the node; it leaves the graph at once."""
        # It holds on to the node, which would stay in the graph for as long as the process lives.
        self._state_machine.destroy_when_not_in_use()
        super().destroy_node()

    async def change_state(self, transition: int) -> TransitionCallbackReturn:
        """Make the transition with this number of lifecycle_msgs/Transition.

        For callbacks of the executor. Raises RuntimeError if the state does not allow it, or
        another one is under way.
        """
        if self._is_changing:
            raise RuntimeError('another transition is under way')
        self._is_changing = True
        try:
            return await self._change_state(transition)
        finally:
            self._is_changing = False

    async def _change_state(self, transition: int) -> TransitionCallbackReturn:
        machine = self._state_machine
        number, label = machine.current_state
        result: Any
        before = LifecycleState(state_id=number, label=label)
        machine.trigger_transition_by_id(transition, True)
        if self.state == 'configuring':
            result = await in_background(partial(self.on_configure, before), self.executor)
        else:
            result = self._callbacks[machine.current_state[0]](before)
        machine.trigger_transition_by_label(result.to_label(), True)
        if result == ERROR:
            recovered: Any = self.on_error(before)
            machine.trigger_transition_by_label(recovered.to_label(), True)
        return result

    async def _on_change_state(self, request: Any, response: Any) -> Any:
        wanted = request.transition
        try:
            machine = self._state_machine
            number = machine.get_transition_by_label(wanted.label) if wanted.label else wanted.id
            response.success = await self.change_state(number) == SUCCESS
        except RuntimeError as reason:
            name = wanted.label or wanted.id
            self.get_logger().error(f'transition {name} refused in state {self.state}: {reason}')
            response.success = False
        return response

    def fail(self, goal: str, reason: str) -> None:
        """Log why the state `goal` was not reached, and put it into `failure`.

        There it stays until that state or the active one is reached by a transition that works.
        """
        self.failure, self._missed_goal = sentence(reason), goal
        self.get_logger().error(self.failure)

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
