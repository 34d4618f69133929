from __future__ import annotations

import pytest

from snn_perception.yaml_files import read_yaml


def test_a_yaml_file_too_large_is_refused_unread(tmp_path):
    path = tmp_path / 'large.yaml'
    path.write_text('a: 1\n' * 300_000)
    with pytest.raises(ValueError, match='larger than'):
        read_yaml(path)
