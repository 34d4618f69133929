from __future__ import annotations

import pytest

from snn_perception.whole_files import written_whole


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
