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

"""The picture of a soak shows what it was given."""

from __future__ import annotations

from snn_perception.reporting.soak_picture import picture

NAN = float('nan')
COURSE = {
    'minutes': [0.0, 1.0, NAN, 2.0, 3.0],
    'memory_mb': [200.0, 210.0, NAN, 190.0, 205.0],
    'threads': [9.0, 9.0, NAN, 9.0, 9.0],
    'handles': [20.0, 21.0, NAN, 20.0, 20.0],
    'answered_minutes': [0.5, 2.5],
    'latency_ms': [5.0, 80.0],
    'failed_minutes': [1.2],
}


def test_the_course_is_drawn_with_its_failures_and_the_verdict_above():
    figure = picture(
        COURSE, {'model': 'mnist', 'faults': 7, 'minutes': 3.0, 'verdict': '1 failure'}
    )
    memory, counts, latency = figure.axes
    assert memory.lines[0].get_ydata()[1] == 210
    assert [line.get_label() for line in counts.lines] == ['file handles', 'threads', 'failure']
    assert latency.lines[0].get_ydata().tolist() == [5.0, 80.0]
    assert all(axes.lines[-1].get_xdata()[0] == 1.2 for axes in figure.axes)
    assert figure.texts[0].get_text() == 'mnist: 7 faults in 3.0 minutes, 1 failure'
