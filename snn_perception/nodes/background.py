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

"""Long work beside an executor, which goes on meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from rclpy.executors import Executor
from rclpy.task import Future

T = TypeVar('T')


async def in_background(job: Callable[[], T], executor: Executor | None) -> T:
    """What `job` returns or raises; it runs in a thread of its own.

    For callbacks of `executor`, which runs others until the job is done.
    """
    if executor is None:
        return job()
    done = Future()
    done.add_done_callback(lambda _: executor.wake())

    def work() -> None:
        try:
            done.set_result(job())
        except BaseException as reason:
            done.set_exception(reason)

    threading.Thread(target=work, name='background', daemon=True).start()
    result: T = await done
    return result
