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


def test_what_was_never_whole_is_not_there(tmp_path, full_disk):
    path = tmp_path / 'file'
    with (
        full_disk(),
        pytest.raises(OSError, match=r'file cannot be written: .*File too large$'),
        written_whole(path) as unfinished,
    ):
        unfinished.write_bytes(bytes(100_000))
    assert list(tmp_path.iterdir()) == []


def test_an_unfinished_file_is_hidden(tmp_path):
    with written_whole(tmp_path / 'picture.png') as unfinished:
        assert unfinished.name.startswith('.')
        unfinished.touch()
