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

"""Pictures of folders, files, videos and webcams."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from threading import Thread

import cv2
import numpy as np
import pytest
from PIL import Image

from snn_perception.datasets.sources import (
    Picture,
    capture_time,
    open_source,
    without_password,
)


def write(path: Path, level: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((6, 8), level, np.uint8))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for level, name in enumerate(['b/2.png', 'a/1.png', 'a/deep/3.bmp', 'c.PNG']):
        write(tmp_path / name, level)
    (tmp_path / 'folder.png').mkdir()
    return tmp_path


def pictures(source: Path | str, loop: bool = False, shuffle: bool = False) -> list[Picture]:
    return list(islice(open_source(str(source), loop, shuffle, pytest.fail), 100))


def names(shown: list[Picture], folder: Path) -> list[str]:
    return [str(Path(picture.name).relative_to(folder)) for picture in shown]


def test_folder_is_shown_with_all_folders_in_it_in_order(folder: Path) -> None:
    shown = pictures(folder)
    assert names(shown, folder) == ['a/1.png', 'a/deep/3.bmp', 'b/2.png', 'c.PNG']
    assert [picture.label for picture in shown] == ['a', 'a', 'b', folder.name]
    assert [int(picture.pixels[0, 0].max()) for picture in shown] == [1, 2, 0, 3]


def test_loop_begins_again_after_the_last(folder: Path) -> None:
    shown = names(pictures(folder, loop=True), folder)
    assert len(shown) == 100
    assert shown[:4] == shown[4:8] == shown[96:]


def test_shuffle_shows_each_once_per_round(folder: Path) -> None:
    shown = names(pictures(folder, loop=True, shuffle=True), folder)
    rounds = [tuple(shown[first : first + 4]) for first in range(0, 100, 4)]
    assert all(sorted(one) == sorted(rounds[0]) for one in rounds)
    assert len(set(rounds)) > 1


def test_image_that_cannot_be_read_is_skipped_with_a_warning(folder: Path) -> None:
    (folder / 'a' / '1.png').write_bytes(b'\x89PNG\r\n\x1a\n broken')
    warnings: list[str] = []
    shown = list(open_source(str(folder), False, False, warnings.append))
    assert names(shown, folder) == ['a/deep/3.bmp', 'b/2.png', 'c.PNG']
    assert len(warnings) == 1
    assert '1.png' in warnings[0]


def test_other_files_and_hidden_ones_are_skipped_with_one_sentence(folder: Path) -> None:
    for name in ('notes.txt', '._c.PNG', '.git/d.png', '__MACOSX/e.png', 'a/Thumbs.db'):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b'no picture')
    warnings: list[str] = []
    shown = list(open_source(str(folder), False, False, warnings.append))
    assert len(shown) == 4
    assert warnings == [
        f'{folder}: skipped 1 of no known image format (notes.txt) and 4 hidden or left over by '
        f'a system (._c.PNG, .git, __MACOSX, and 1 more)'
    ]


@pytest.mark.parametrize('name', ['film.gif', 'image', 'image.jfif'])
def test_content_and_not_the_name_makes_an_image(tmp_path: Path, name: str) -> None:
    kind = 'GIF' if name.endswith('gif') else 'PNG'
    Image.new('L', (8, 6), 50).save(tmp_path / name, kind)
    assert len(pictures(tmp_path)) == 1


def test_label_is_the_class_in_every_part_of_a_data_set(tmp_path: Path) -> None:
    for name in ('data/train/can/1.png', 'data/train/can/deep/2.png', 'data/val/can/3.png'):
        write(tmp_path / name, 9)
    assert {picture.label for picture in pictures(tmp_path)} == {'can'}


def test_folder_of_nothing_but_broken_images_ends_even_in_a_loop(tmp_path: Path) -> None:
    (tmp_path / 'a.png').write_bytes(b'')
    with pytest.raises(ValueError, match='none of the 1 images'):
        list(open_source(str(tmp_path), True, False, lambda warning: None))


@pytest.mark.parametrize(
    ('source', 'sentence'),
    [
        ('', 'holds no images'),
        ('missing', 'is not found: .*missing does not exist'),
        ('notes.txt', 'video .*notes.txt cannot be opened'),
    ],
)
def test_source_without_pictures_is_refused_at_once(
    tmp_path: Path, source: str, sentence: str
) -> None:
    (tmp_path / 'notes.txt').write_text('no picture')
    with pytest.raises(ValueError, match=sentence):
        open_source(str(tmp_path / source), False, False, pytest.fail)


def test_webcam_that_is_not_there_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match='webcam 987 cannot be opened'):
        open_source('987', False, False, pytest.fail)


def test_device_that_is_not_there_is_named_by_the_webcam_that_its_link_means(
    tmp_path: Path,
) -> None:
    (tmp_path / 'by-id').symlink_to('/dev/video987')
    sentence = '/by-id.* is not found: /dev/video987 does not exist; webcams are '
    with pytest.raises(ValueError, match=sentence):
        open_source(str(tmp_path / 'by-id'), False, False, pytest.fail)


def test_device_that_is_no_webcam_is_refused() -> None:
    with pytest.raises(ValueError, match="'/dev/null' is a device, but no webcam"):
        open_source('/dev/null', False, False, pytest.fail)


def test_stream_that_is_not_there_is_refused_without_showing_its_password() -> None:
    with pytest.raises(ValueError, match='cannot be opened') as refused:
        open_source('rtsp://me:se@cret@127.0.0.1:9/eye?key=secret', False, False, pytest.fail)
    assert str(refused.value).startswith('stream rtsp://127.0.0.1:9/eye cannot')


@pytest.mark.parametrize(
    ('location', 'shown'),
    [
        ('rtsp://me:secret@host:554/eye', 'rtsp://host:554/eye'),
        ('rtsp://me:a/b@c?d@host/eye', 'rtsp://host/eye'),
        ('http://host/video?user=me&password=secret#x', 'http://host/video'),
        ('http://host', 'http://host'),
        ('/home/me@work/video.avi', '/home/me@work/video.avi'),
        ('package://a/b@c', 'package://a/b@c'),
    ],
)
def test_address_is_shown_without_its_secrets(location: str, shown: str) -> None:
    assert without_password(location) == shown


def test_single_image_is_a_source(tmp_path: Path) -> None:
    write(tmp_path / 'one.png', 7)
    assert len(pictures(tmp_path / 'one.png')) == 1
    assert len(pictures(tmp_path / 'one.png', loop=True)) == 100


class Webcam:
    """Stands in for OpenCV's webcam: its pictures are `waited` s old, by its own clock."""

    waited = 0.25
    knows_when = True

    def __init__(self, number: int) -> None:
        self.opened, self.taken = number, 0

    def set(self, name: int, value: float) -> bool:
        return True

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.taken += 1
        self.captured = time.monotonic() - self.waited
        return self.taken <= 4, np.full((6, 8, 3), self.taken, np.uint8)

    def get(self, name: int) -> float:
        assert name == cv2.CAP_PROP_POS_MSEC
        return 1e3 * self.captured if self.knows_when else 0.0

    def release(self) -> None:
        pass


def test_webcam_shows_what_it_sees_from_when_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, 'VideoCapture', Webcam)
    shown = open_source('0', False, False, pytest.fail)
    assert [int(next(shown).pixels[0, 0, 0]) for _ in range(3)] == [2, 3, 4]
    with pytest.raises(ValueError, match='webcam 0 gives no more pictures'):
        next(shown)


def test_picture_of_a_webcam_is_as_old_as_its_driver_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, 'VideoCapture', Webcam)
    begin = time.monotonic()
    picture = next(open_source('0', False, False, pytest.fail))
    assert picture.captured is not None
    assert begin <= picture.captured + Webcam.waited <= time.monotonic()
    assert picture.age >= 1e9 * Webcam.waited


def test_picture_of_a_webcam_that_does_not_know_is_of_when_it_was_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Slow(Webcam):
        knows_when = False

        def read(self) -> tuple[bool, np.ndarray | None]:
            time.sleep(0.01)
            return super().read()

    monkeypatch.setattr(cv2, 'VideoCapture', Slow)
    begin = time.monotonic()
    picture = next(open_source('0', False, False, pytest.fail))
    assert picture.captured is not None
    assert begin <= picture.captured <= time.monotonic() - 0.01


def test_webcam_can_be_named_as_a_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, 'VideoCapture', Webcam)
    monkeypatch.setattr(os, 'access', lambda path, mode: path == '/dev/video7')
    (tmp_path / 'by-id').symlink_to('/dev/video7')
    for source in ('/dev/video7', str(tmp_path / 'by-id')):
        picture = next(open_source(source, False, False, pytest.fail))
        assert picture.name == f'webcam {source}, 0'
        assert picture.captured is not None


def test_device_that_is_closed_to_the_user_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, 'access', lambda path, mode: mode == os.F_OK)
    with pytest.raises(ValueError, match='/dev/video7 is closed to this user'):
        open_source('/dev/video7', False, False, pytest.fail)


@pytest.mark.parametrize('position', [0.0, -1.0, 1.7e12, float('nan')])
def test_time_of_another_clock_is_not_taken_for_that_of_capture(position: float) -> None:
    asked = time.monotonic()
    assert capture_time(asked, position) == asked


def test_pictures_of_files_have_no_time_of_capture(tmp_path: Path) -> None:
    write(tmp_path / 'one.png', 7)
    picture = pictures(tmp_path / 'one.png')[0]
    assert (picture.captured, picture.age) == (None, 0)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / 'video.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10, (64, 48))
    if not writer.isOpened():
        pytest.skip('this OpenCV cannot write videos')
    for level in (0, 100, 200):
        writer.write(np.full((48, 64, 3), (0, 0, level), np.uint8))
    writer.release()
    return path


def test_video_is_shown_in_rgb_to_its_end(video: Path) -> None:
    shown = pictures(video)
    reds = [picture.pixels[..., 0].mean() for picture in shown]
    np.testing.assert_allclose(reds, [0, 100, 200], atol=6)
    assert max(picture.pixels[..., 2].mean() for picture in shown) < 6


class Web(SimpleHTTPRequestHandler):
    """Has the files of a folder, and /live: the pictures of a camera, until that is gone."""

    def do_GET(self) -> None:
        if self.path != '/live':
            super().do_GET()
            return
        self.send_response(200)
        self.send_header('Content-Type', 'multipart/x-mixed-replace; boundary=next')
        self.end_headers()
        for level in (50, 100, 150, 200):
            picture = cv2.imencode('.jpg', np.full((48, 64, 3), level, np.uint8))[1].tobytes()
            head = f'--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}'
            self.wfile.write(head.encode() + b'\r\n\r\n' + picture + b'\r\n')

    def log_message(self, *values: object) -> None:
        pass


@pytest.fixture
def web(video: Path) -> Iterator[str]:
    """Address of a server that has the video."""
    if 'FFMPEG:                      YES' not in cv2.getBuildInformation():
        pytest.skip('this OpenCV opens no addresses')
    handler = partial(Web, directory=str(video.parent))
    with ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f'http://me:secret@127.0.0.1:{server.server_port}'
        server.shutdown()
        thread.join()


def test_video_of_a_web_server_is_shown_to_its_end(web: str) -> None:
    shown = pictures(f'{web}/video.avi')
    reds = [picture.pixels[..., 0].mean() for picture in shown]
    np.testing.assert_allclose(reds, [0, 100, 200], atol=6)
    assert 'secret' not in shown[0].name
    assert len(pictures(f'{web}/video.avi', loop=True)) == 100


@pytest.mark.parametrize('loop', [False, True])
def test_stream_of_a_camera_that_is_gone_is_an_error(web: str, loop: bool) -> None:
    begin = time.monotonic()
    shown = open_source(f'{web}/live', loop, False, pytest.fail)
    for level in (100, 150, 200):
        picture = next(shown)
        assert abs(picture.pixels.mean() - level) < 2
        assert picture.captured is not None
        assert picture.captured >= begin
    with pytest.raises(ValueError, match=r'stream http://127.* gives no more pictures') as refused:
        next(shown)
    assert 'secret' not in str(refused.value)


def test_video_begins_again_in_a_loop(video: Path) -> None:
    reds = [picture.pixels[..., 0].mean() for picture in islice(pictures(video, loop=True), 7)]
    np.testing.assert_allclose(reds, [0, 100, 200, 0, 100, 200, 0], atol=6)


def test_jpeg_with_a_short_frame_header_is_skipped_with_a_warning(folder: Path) -> None:
    (folder / 'a' / '1.jpg').write_bytes(b'\xff\xd8\xff\xc0\x00\x02')
    warnings: list[str] = []
    assert len(list(open_source(str(folder), False, False, warnings.append))) == 4
    assert '1.jpg is not an image that can be read' in warnings[0]


def test_a_source_is_no_shipped_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sentence = f"source './digits' is not found: {tmp_path}/digits does not exist"
    with pytest.raises(ValueError, match=sentence):
        open_source('./digits', False, False, pytest.fail)
    write(tmp_path / 'digits' / '1.png', 9)
    assert len(pictures('digits')) == len(pictures('./digits')) == 1


def test_shipped_digits_are_a_source_by_uri() -> None:
    by_uri = pictures('package://snn_perception/resource/images/digits')
    assert len(by_uri) == 40
    assert {picture.label for picture in by_uri} == set('0123456789')
    assert {picture.pixels.shape for picture in by_uri} == {(28, 28)}
