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

"""The node with what comes from elsewhere: a network of snnTorch, an engine for a chip."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import colour_frames
import colour_model
import optional
import pytest
from sensor_msgs.msg import Image
from std_msgs.msg import String


def labels(robot: Any) -> list[str]:
    """What a classifier answers to frames of each of the colours."""
    heard = robot.listen(String, 'snn_classifier/label')
    publisher, answers = robot.publisher(Image, 'image_raw'), []
    for colour in colour_model.LABELS:
        heard.messages.clear()
        publisher.publish(colour_frames.frame(colour))
        answers.append(heard.wait_for().data)
    return answers


@pytest.fixture
def made_in_snntorch(tmp_path: Path) -> Path:
    """A network of snnTorch, a neuron for each colour, in a file of its own exporter."""
    nir = pytest.importorskip('nir')
    snntorch = pytest.importorskip('snntorch')
    torch = pytest.importorskip('torch')
    from snntorch.export_nir import export_to_nir

    side = colour_model.SIZE
    ones = torch.ones(3)
    neurons = snntorch.Leaky(
        0.9 * ones, threshold=ones, reset_mechanism='zero', reset_delay=False, init_hidden=True
    )
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * side**2, 3), neurons)
    with torch.no_grad():
        network[1].weight.copy_(torch.eye(3).repeat_interleave(side**2, dim=1) / 100)
        network[1].bias.zero_()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', DeprecationWarning)
        graph = export_to_nir(network, torch.rand(1, 3, side, side), ignore_dims=[0])
    nir.write(tmp_path / 'theirs.nir', graph)
    return tmp_path / 'theirs.nir'


def test_a_network_of_another_library_names_colours(
    robot: Any, create_classifier: Any, made_in_snntorch: Path
) -> None:
    create_classifier(model=str(made_in_snntorch))
    assert labels(robot) == ['0', '1', '2']


def test_the_emulated_chip_names_colours(robot: Any, create_classifier: Any) -> None:
    optional.library('nengo_loihi')
    create_classifier(backend='loihi')
    assert labels(robot) == list(colour_model.LABELS)
