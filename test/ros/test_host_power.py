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

"""What the host draws, on the topics: sensors in files that appear and vanish meanwhile."""

from __future__ import annotations

import math
import shutil
import threading
from pathlib import Path
from typing import Any

import colour_frames
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from sensor_msgs.msg import Image
from sysfs_tree import ina226

from snn_perception.power import PowerMeter
from snn_perception.power.hwmon import find_ina


@pytest.fixture
def sysfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the classifier looks for its power sensor, with every frame."""
    monkeypatch.setattr(
        'snn_perception.nodes.answers.loaded_model.find_meter',
        lambda device: PowerMeter(lambda: find_ina(tmp_path), retry=0.0),
    )
    return tmp_path


def sampling_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == 'ina power']


def test_power_is_published_while_there_is_a_sensor_and_not_a_number_otherwise(
    sysfs: Path, robot: Any, create_classifier: Any
) -> None:
    create_classifier()
    statistics = robot.listen(DiagnosticArray, 'snn_classifier/statistics')
    publisher = robot.publisher(Image, 'image_raw')
    frame = colour_frames.frame('red')

    def measured(source: str) -> float:
        """Power of the first answer with this source, while frames go on."""
        for number in range(1, 100):
            frame.header.stamp.sec = number
            statistics.messages.clear()
            publisher.publish(frame)
            message = statistics.wait_for()
            found = {value.key: value.value for value in message.status[0].values}
            assert math.isnan(float(found['host_power_w'])) == (
                found['host_power_source'] == 'unavailable'
            )
            if found['host_power_source'] == source:
                return float(found['host_power_w'])
        return pytest.fail(f'no answer with power by {source}')

    assert math.isnan(measured('unavailable'))
    ina226(sysfs, 0, 12_000, 1_500)
    assert measured('ina') == pytest.approx(18.0)
    shutil.rmtree(sysfs / 'class/hwmon/hwmon0')
    assert math.isnan(measured('unavailable'))
    ina226(sysfs, 1, 12_000, 2_000)
    assert measured('ina') == pytest.approx(24.0)


def test_sensor_is_asked_only_while_the_node_is_configured(
    sysfs: Path, robot: Any, create_classifier: Any
) -> None:
    ina226(sysfs, 0, 12_000, 1_500)
    assert not sampling_threads()
    create_classifier()
    assert len(sampling_threads()) == 1
    for transition in (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP):
        request = {'transition': Transition(id=transition)}
        assert robot.call(ChangeState, 'snn_classifier/change_state', **request).success
    assert not sampling_threads()
