from __future__ import annotations

import pytest

from snn_perception.files import read_yaml, resolve, share_directory, written_whole


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


def test_a_file_is_written_whole(tmp_path):
    path = tmp_path / 'file'
    path.write_text('old')
    with written_whole(path) as unfinished:
        unfinished.write_text('new')
        assert path.read_text() == 'old'
    assert path.read_text() == 'new'
    assert list(tmp_path.iterdir()) == [path]


def test_what_was_there_stays_when_the_disk_is_full(tmp_path, full_disk):
    path = tmp_path / 'file'
    path.write_text('old')
    with (
        full_disk(),
        pytest.raises(OSError, match=r'file cannot be written: .*is kept'),
        written_whole(path) as unfinished,
    ):
        unfinished.write_bytes(bytes(100_000))
    assert path.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [path]
