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

"""Which of the shipped images the camera shows to which model."""

from __future__ import annotations

from snn_perception.locations import PACKAGE

SHIPPED_IMAGES = {
    'mnist': 'digits',
    'cifar10': 'photos',
    'everyday': 'everyday',
}
"""Folders of resource/images by the names of shipped models."""


def arguments_for(model: str | None) -> list[str]:
    """Arguments of ROS by which the camera shows the images for `model`, if there are some.

    What the user says about the camera, in arguments or files that come later, wins.
    """
    if model not in SHIPPED_IMAGES:
        return []
    source = f'package://{PACKAGE}/resource/images/{SHIPPED_IMAGES[model]}'
    return ['-p', f'camera:source:={source}']
