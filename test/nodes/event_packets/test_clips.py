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

"""What an event camera plays."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from snn_perception.nodes.event_packets.sources import open_clips

SIZE = (34, 34)


def recording(path: Path, *times: int) -> None:
    path.parent.mkdir(exist_ok=True)
    t = np.array(times, np.int64)
    np.savez(path, t=t, x=t % 3, y=t % 5, p=t % 2)


def test_recordings_that_cannot_be_played_are_skipped_once_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / 'a').mkdir()
    (tmp_path / 'a' / 'cut.npz').write_bytes(b'PK')
    recording(tmp_path / 'a' / 'none.npz')
    recording(tmp_path / 'b' / 'one.npz', 7, 9)
    said: list[str] = []
    clips = open_clips(str(tmp_path), SIZE, 28, True, False, said.append)
    for clip in islice(clips, 3):
        assert clip.events.t.tolist() == [0, 2]
        assert clip.label == 'b'
    assert len(said) == 2
    assert 'cut.npz cannot be read' in said[0]
    assert 'none.npz has no events to play' in said[1]


@pytest.mark.parametrize('loop', [False, True])
def test_recordings_of_which_none_can_be_played_are_refused(loop: bool, tmp_path: Path) -> None:
    for name in ('one.npz', 'two.npz'):
        recording(tmp_path / 'a' / name)
    said: list[str] = []
    clips = open_clips(str(tmp_path), SIZE, 28, loop, False, said.append)
    with pytest.raises(ValueError, match=r'two\.npz has no events to play'):
        next(clips)
    assert len(said) == 1
