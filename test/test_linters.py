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

"""What the tools of ROS say of package.xml and of the licence, where they are installed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_package_xml_has_nothing_that_the_tools_of_ros_object_to():
    package = pytest.importorskip('catkin_pkg.package')
    warnings: list[str] = []
    manifest = package.parse_package(str(ROOT), warnings=warnings)
    manifest.validate(warnings=warnings)
    assert warnings == []
    assert manifest.get_build_type() == 'ament_python'


def test_every_file_names_its_copyright_and_licence(monkeypatch):
    ament_copyright = pytest.importorskip('ament_copyright.main')
    monkeypatch.chdir(ROOT)
    paths = ['snn_perception', 'launch', 'test', 'docs', 'scripts', 'setup.py']
    assert ament_copyright.main(argv=[*paths, 'LICENSE', 'CONTRIBUTING.md']) == 0


def test_package_xml_is_valid(monkeypatch, capsys):
    ament_xmllint = pytest.importorskip('ament_xmllint.main')
    if not shutil.which('xmllint'):
        pytest.skip('xmllint is not installed')
    monkeypatch.chdir(ROOT)
    status = ament_xmllint.main(argv=['package.xml'])
    said = ''.join(capsys.readouterr())
    if 'failed to load external entity' in said:
        pytest.skip('the schema of package.xml cannot be reached from here')
    assert status == 0, said
