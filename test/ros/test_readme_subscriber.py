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

"""The README's examples, as pasted."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from pathlib import Path


def start(*arguments: str) -> subprocess.Popen:
    """An executable of the package with arguments."""
    return subprocess.Popen(
        [sys.executable, '-m', 'snn_perception', *arguments], stderr=subprocess.PIPE, text=True
    )


ROOT = Path(__file__).parents[2]
DIGITS = ROOT / 'resource' / 'images' / 'digits'


def example(marker: str) -> str:
    """The Python block of the README that contains `marker`."""
    blocks = re.findall(r'```python\n(.*?)```', (ROOT / 'README.md').read_text(), re.DOTALL)
    (found,) = [block for block in blocks if marker in block]
    return found


def lines_of(process: subprocess.Popen) -> list[str]:
    """A list that fills with what `process` writes to its standard error."""
    lines: list[str] = []

    def read() -> None:
        assert process.stderr is not None
        lines.extend(process.stderr)

    threading.Thread(target=read, daemon=True).start()
    return lines


def test_the_subscriber_gets_the_label_stamp_and_frame_id_of_each_image(tmp_path: Path) -> None:
    script = tmp_path / 'listener.py'
    script.write_text(example('class Listener'))
    listener = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    classifier = start('classifier')
    shown_at = ('source', str(DIGITS)), ('rate', '2.0'), ('width', '640'), ('height', '480')
    parameters = (*shown_at, ('frame_id', 'front'), ('wait_for_subscriber', 'true'))
    arguments = [word for name, value in parameters for word in ('-p', f'{name}:={value}')]
    camera = start('camera', '--ros-args', '--log-level', 'camera:=debug', *arguments)
    shown = lines_of(camera)
    try:
        assert listener.stdout is not None
        answers = [listener.stdout.readline().split() for _ in range(12)]
    finally:
        for process in (camera, classifier, listener):
            process.terminate()
            process.wait(20)
    truth = {}
    for line in shown:
        if match := re.search(r'(\d+\.\d{9}) shows (?:.*/)?(\d)/', line):
            truth[match[1]] = match[2]
    labels = [(label, truth[stamp]) for stamp, _, label, *_ in answers]
    assert all(frame == 'front:' for _, frame, *_ in answers)
    assert sum(label == true for label, true in labels) >= 11


def test_the_python_example_reads_a_seven() -> None:
    done = subprocess.run(
        [sys.executable, '-c', example('create_simulator')],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith('7 ')
