"""The linters of a ROS distribution, where one is sourced."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_every_file_names_its_copyright_and_licence(monkeypatch):
    ament_copyright = pytest.importorskip('ament_copyright.main')
    monkeypatch.chdir(ROOT)
    paths = ['snn_perception', 'launch', 'test', 'docs', 'scripts', 'setup.py']
    assert ament_copyright.main(argv=[*paths, 'LICENSE', 'CONTRIBUTING.md']) == 0


def test_package_xml_is_valid(monkeypatch):
    ament_xmllint = pytest.importorskip('ament_xmllint.main')
    monkeypatch.chdir(ROOT)
    assert ament_xmllint.main(argv=['package.xml']) == 0
