from __future__ import annotations

import pytest

from snn_perception.files import read_yaml, resolve, share_directory


def test_a_plain_word_is_a_shipped_name_and_a_path_is_a_path(tmp_path):
    assert resolve('mnist', 'models') == share_directory() / 'models' / 'mnist'
    assert resolve(str(tmp_path), 'models') == tmp_path
    assert resolve('some/where', 'models').parts == ('some', 'where')


def test_a_package_uri_is_below_the_share_directory():
    uri = 'package://snn_perception/config/classify.yaml'
    assert resolve(uri, 'models') == share_directory() / 'config' / 'classify.yaml'


def test_a_yaml_file_too_large_is_refused_unread(tmp_path):
    path = tmp_path / 'large.yaml'
    path.write_text('a: 1\n' * 300_000)
    with pytest.raises(ValueError, match='larger than'):
        read_yaml(path)
