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

"""What to tell a user: how many frames are enough, and what to type afterwards."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

from snn_perception.nodes.collecting.picture_folder import Count

ENOUGH_FRAMES = 25
ENOUGH_TAKES = 3
"""Of a class, to begin with: two takes to learn from and one that is held out."""


def advice(count: Count) -> str:
    """What is still missing of a class; '' if there is enough to begin with."""
    takes, frames = ENOUGH_TAKES - count.takes, ENOUGH_FRAMES - count.frames
    if not count.frames:
        return f'nothing yet: {ENOUGH_FRAMES} frames in {ENOUGH_TAKES} takes are a beginning'
    missing = []
    if frames > 0:
        missing.append(f'{frames} more frame{"s" * (frames > 1)}')
    if takes > 0:
        missing.append(
            f'{takes} more take{"s" * (takes > 1)}: another place, light, side or distance'
        )
    return ' and '.join(missing)


def is_enough(counts: Mapping[str, Count]) -> bool:
    """Whether a training can begin: two classes or more, and enough of each."""
    return len(counts) > 1 and not any(advice(count) for count in counts.values())


def next_commands(folder: Path) -> list[tuple[str, str]]:
    """What to do with the pictures in `folder`, and the command for it."""
    data, model = shlex.quote(str(folder)), shlex.quote(str(Path.cwd() / 'my_model'))
    has_ros2 = shutil.which('ros2') is not None
    run = 'ros2 run snn_perception' if has_ros2 else _script()
    use = ('Start the classifier with it', f'{run} classifier --ros-args -p model:={model}')
    if has_ros2:
        use = (
            'Have the classifier use it, while it runs',
            f'ros2 param set /snn_classifier model {model}',
        )
    train = f'{run} train transfer --data {data} --output {model}'
    return [('Train a network that knows these classes', train), use]


def _script() -> str:
    """How commands are run where there is no `ros2`."""
    script = Path(__file__).resolve().parents[3] / 'scripts' / 'run'
    if not script.is_file():
        return 'python -m snn_perception'
    is_here = script.is_relative_to(Path.cwd())
    return shlex.quote(str(script.relative_to(Path.cwd()) if is_here else script))
