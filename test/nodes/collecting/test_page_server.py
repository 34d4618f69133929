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

"""The page over HTTP, from a real server, without a browser."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from camera_takes import frame, picture

from snn_perception.images import Preprocessing
from snn_perception.nodes.collecting.collection import Collection
from snn_perception.nodes.collecting.live_view import LiveView
from snn_perception.nodes.collecting.page_server import PageServer, is_own_host
from snn_perception.nodes.collecting.picture_folder import PictureFolder
from snn_perception.nodes.parameters.collect_parameters import CollectParameters

JSON = {'Content-Type': 'application/json'}


class Browser:
    """Asks the page of a collection as a browser does, without being one."""

    def __init__(self, folder: Path) -> None:
        self.parameters = CollectParameters(max_silence=3600.0)
        self.collection = Collection(PictureFolder(folder), lambda: self.parameters)
        preprocessing = Preprocessing((32, 32, 3), centre=0.9)
        self.problem = ''
        view = LiveView(self.collection, preprocessing, lambda: ('/image_raw', self.problem))
        self.server = PageServer(self.collection, view, '127.0.0.1', 0)
        self._shown = 0

    def show(self) -> None:
        """Have the camera show something new."""
        self._shown += 1
        pixels = picture('red', self._shown)
        self.collection.see(frame(pixels, time.monotonic(), self._shown))

    def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and content of the answer."""
        connection = http.client.HTTPConnection('127.0.0.1', self.server.port, timeout=10)
        content = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        named = {name.replace('_', '-'): value for name, value in headers.items()}
        connection.request(method, path, content, named)
        answer = connection.getresponse()
        found = answer.status, dict(answer.getheaders()), answer.read()
        connection.close()
        return found

    def post(self, action: str, **body: Any) -> tuple[int, str]:
        """Status and message of the answer to an action."""
        status, _, content = self.ask('POST', f'/{action}', body, **JSON)
        return status, json.loads(content)['message']

    @property
    def state(self) -> dict[str, Any]:
        return json.loads(self.ask('GET', '/state')[2])


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    browser = Browser(tmp_path / 'collected')
    yield browser
    browser.server.close()


def test_the_page_may_load_nothing_from_elsewhere(browser: Browser) -> None:
    status, headers, content = browser.ask('GET', '/')
    assert status == 200
    assert headers['Content-Type'].startswith('text/html')
    policy = headers['Content-Security-Policy']
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert b'http' not in content.replace(b'http-equiv', b'')


def test_frames_are_saved_counted_and_deleted(browser: Browser, tmp_path: Path) -> None:
    browser.show()
    assert browser.post('add', name='mug') == (200, '')
    status, message = browser.post('save', name='mug')
    assert (status, message.startswith('saved ')) == (200, True)
    assert len(list((tmp_path / 'collected' / 'mug').rglob('*.png'))) == 1
    status, message = browser.post('save', name='mug')
    assert (status, message.startswith('skipped: ')) == (200, True)
    [one] = browser.state['classes']
    assert (one['name'], one['frames'], one['takes']) == ('mug', 1, 1)
    assert one['advice'].startswith('24 more frames and 2 more takes')
    assert browser.post('delete_last')[0] == 200
    assert browser.state['classes'][0]['frames'] == 0
    assert browser.post('delete_last') == (
        409,
        'nothing is left that was saved since the start',
    )


def test_what_cannot_be_done_is_answered_with_a_sentence(browser: Browser) -> None:
    assert browser.post('save', name='mug')[0] == 409
    browser.show()
    status, message = browser.post('save', name='a/b')
    assert (status, 'slash' in message) == (409, True)


@pytest.mark.parametrize('body', [b'', b'[1]', b'{"name": 3}', b'not JSON', b'"mug"', b'\xff'])
def test_a_body_that_makes_no_sense_changes_nothing(browser: Browser, body: bytes) -> None:
    browser.show()
    status, _, content = browser.ask('POST', '/save', body, **JSON)
    assert status in (400, 409)
    assert json.loads(content)['message']
    assert browser.state['classes'] == []


def test_a_state_comes_as_soon_as_something_is_new(browser: Browser) -> None:
    before = browser.state
    timer = threading.Timer(0.1, browser.show)
    timer.start()
    after = json.loads(browser.ask('GET', f'/state?version={before["version"]}')[2])
    timer.join()
    assert (before['frame'], after['frame']) == (0, 1)
    assert (before['size'], after['size']) == (None, [64, 48])
    left, top, width, height = after['crop']
    assert (left + width / 2, top + height / 2) == pytest.approx((0.5, 0.5), abs=0.02)
    assert height == pytest.approx(0.9, abs=0.02)


def test_pictures_are_the_newest_frame_as_saved_and_as_seen(browser: Browser) -> None:
    assert browser.ask('GET', '/frame?0')[0] == 404
    for _ in range(2):
        browser.show()
        status, headers, content = browser.ask('GET', '/frame?1')
        assert (status, headers['Content-Type']) == (200, 'image/jpeg')
        shown = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
        assert np.abs(shown.astype(float) - browser.collection.frame.picture).mean() < 6
        assert browser.ask('GET', '/seen')[0] == 200


def test_what_is_wrong_with_the_camera_is_told(browser: Browser) -> None:
    browser.problem = 'nobody publishes /image_raw'
    browser.collection.fail_to_read('a frame is damaged')
    state = browser.state
    assert state['problem'] == 'nobody publishes /image_raw'
    assert (state['unreadable'], state['last_unreadable']) == (1, 'a frame is damaged')


def test_the_page_says_what_to_type_next(browser: Browser, tmp_path: Path) -> None:
    train, use = (step['command'] for step in browser.state['next'])
    model = Path.cwd() / 'my_model'
    assert f'train transfer --data {tmp_path}/collected --output {model}' in train
    assert str(model) in use


# --- other pages ---


@pytest.mark.parametrize('host', ['evil.example', 'evil.example:80', '127.0.0.1.evil.example'])
def test_a_foreign_name_that_points_here_is_refused(browser: Browser, host: str) -> None:
    for method, path in (('GET', '/'), ('GET', '/state'), ('GET', '/frame'), ('POST', '/save')):
        assert browser.ask(method, path, Host=host)[0] == 403


@pytest.mark.parametrize(
    'headers',
    [
        {'Origin': 'http://evil.example'},
        {'Origin': 'null'},
        {'Origin': 'http://127.0.0.1:1'},
        {'Sec_Fetch_Site': 'cross-site'},
        {'Sec_Fetch_Site': 'same-site'},
    ],
)
def test_requests_of_another_page_are_refused(browser: Browser, headers: dict[str, str]) -> None:
    browser.show()
    assert browser.ask('POST', '/save', {'name': 'mug'}, **JSON, **headers)[0] == 403
    assert browser.ask('GET', '/frame', **headers)[0] == 403
    assert browser.state['classes'] == []
    assert 'Access-Control-Allow-Origin' not in browser.ask('GET', '/state')[1]


def test_a_form_of_another_page_cannot_pose_as_ours(browser: Browser) -> None:
    browser.show()
    body = b'{"name": "mug"}'
    assert browser.ask('POST', '/save', body, Content_Type='text/plain')[0] == 415
    assert browser.ask('GET', '/save')[0] == 405
    assert browser.ask('OPTIONS', '/save', Origin='http://evil.example')[0] in (403, 405)


def test_our_own_page_and_links_to_it_are_answered(browser: Browser) -> None:
    origin = f'http://127.0.0.1:{browser.server.port}'
    own = {'Origin': origin, 'Sec_Fetch_Site': 'same-origin', 'Sec_Fetch_Mode': 'cors'}
    assert browser.ask('POST', '/add', {'name': 'mug'}, **JSON, **own)[0] == 200
    link = {'Sec_Fetch_Site': 'cross-site', 'Sec_Fetch_Mode': 'navigate'}
    assert browser.ask('GET', '/', **link)[0] == 200
    assert browser.ask('GET', '/', Host=f'localhost:{browser.server.port}')[0] == 200


@pytest.mark.parametrize('host', ['[::1]:8642', '192.168.1.7', 'LOCALHOST:1', 'robot.lan'])
def test_numbers_and_the_name_that_is_served_are_our_own(host: str) -> None:
    assert is_own_host(host, 'robot.lan')


def test_a_large_request_is_refused(browser: Browser) -> None:
    # The connection may end before the answer is read.
    with suppress(ConnectionError):
        assert browser.ask('POST', '/save', {'name': 'x' * 100_000}, **JSON)[0] in (400, 413)
    assert browser.state['classes'] == []


def test_a_port_that_is_taken_is_named_with_the_way_out(browser: Browser) -> None:
    port = browser.server.port
    view = LiveView(browser.collection, Preprocessing((8, 8, 3)), lambda: ('', ''))
    with pytest.raises(ValueError, match=f'port {port} of address 127.0.0.1: .*page:=false'):
        PageServer(browser.collection, view, '127.0.0.1', port)


@pytest.mark.parametrize('address', ['1.2.3.4', ''])
def test_an_address_that_is_none_of_this_machine_is_refused(
    browser: Browser, address: str
) -> None:
    view = LiveView(browser.collection, Preprocessing((8, 8, 3)), lambda: ('', ''))
    with pytest.raises(ValueError, match='the page cannot be served on port 0 of address'):
        PageServer(browser.collection, view, address, 0)


def test_a_closed_server_answers_no_more(browser: Browser) -> None:
    browser.server.close()
    with pytest.raises(ConnectionRefusedError):
        browser.ask('GET', '/state')
