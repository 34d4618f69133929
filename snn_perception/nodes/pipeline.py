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

"""What is at work in a node that classifies, while it is active."""

from __future__ import annotations

from typing import Protocol

from snn_perception.nodes.diagnostics.verdict import Report


class Pipeline(Protocol):
    """The path from what sensors send to the answers, for the thread that runs callbacks."""

    @property
    def is_running(self) -> bool:
        """Whether its worker thread has not ended."""

    def resume(self) -> None:
        """Subscribe."""

    def follow(self) -> None:
        """Subscribe as the parameters now ask for."""

    def pause(self) -> None:
        """Unsubscribe, and drop what waits; what is in work is not answered."""

    def stop(self) -> bool:
        """Unsubscribe and end the worker; False if it does not come to an end."""

    def reset(self) -> None:
        """Forget counts and errors, and begin anew with what comes next."""

    def reports(self) -> list[Report]:
        """The verdict on the time since the last reports, for each sensor."""
