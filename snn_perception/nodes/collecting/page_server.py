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

"""The page in the browser, served by Tornado in a thread of its own.

It answers those who can prove to be this page: the name of the host must be one of this machine,
so that no foreign name is pointed here, and requests that another page has its browser send are
refused.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ipaddress
import json
import re
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import tornado.httpserver
import tornado.netutil
import tornado.web

from snn_perception.locations import share_directory
from snn_perception.nodes.collecting.collection import Collection, Refused
from snn_perception.nodes.collecting.live_view import LiveView
from snn_perception.sentences import sentence

LONGEST_WAIT = 1.0
"""Seconds after which a page is answered even if there is nothing new."""
LARGEST_REQUEST = 65536
"""Bytes."""
GRACE = 1.0
"""Seconds that the thread has to end."""

Action = Callable[[Collection, str, str], Any]
"""Done for a page: gets the name of a class, and that of the page."""

ACTIONS: dict[str, Action] = {
    'add': lambda collection, name, page: collection.add_class(name),
    'save': lambda collection, name, page: collection.save(name),
    'record': lambda collection, name, page: collection.record(name, page),
    'stop': lambda collection, name, page: collection.stop(),
    'new_take': lambda collection, name, page: collection.begin_take(),
    'delete_last': lambda collection, name, page: collection.delete_last(),
    'delete_take': lambda collection, name, page: collection.delete_last(whole_take=True),
}


class PageServer:
    """Serves the page on `address` and `port` until it is closed.

    Raises ValueError with a sentence if that cannot be; `port` 0 is any that is free.
    """

    def __init__(self, collection: Collection, view: LiveView, address: str, port: int) -> None:
        try:
            if not address:
                raise OSError('an empty address would be every one')
            self._sockets = tornado.netutil.bind_sockets(port, address)
        except OSError as reason:
            raise ValueError(
                f'the page cannot be served on port {port} of address {address}: '
                f'{reason.strerror or reason}; choose others with the parameters port and '
                f'address, or page:=false'
            ) from None
        self.address, self.port = self._sockets[0].getsockname()[:2]
        self._application = _application(collection, view, address)
        self._loop = asyncio.new_event_loop()
        self._closing = asyncio.Event()
        self._thread = threading.Thread(target=self._work, name='page', daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """What to open in a browser on this machine."""
        everywhere = ipaddress.ip_address(self.address).is_unspecified
        host = '127.0.0.1' if everywhere else self.address
        return f'http://{f"[{host}]" if ":" in host else host}:{self.port}/'

    @property
    def is_public(self) -> bool:
        """Whether other machines may be able to reach the page."""
        return not ipaddress.ip_address(self.address).is_loopback

    def close(self) -> None:
        """Serve no more."""
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join(GRACE)

    def _work(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        server = tornado.httpserver.HTTPServer(self._application, max_body_size=LARGEST_REQUEST)
        server.add_sockets(self._sockets)
        await self._closing.wait()
        server.stop()
        await server.close_all_connections()


def _application(collection: Collection, view: LiveView, address: str) -> tornado.web.Application:
    page = share_directory().joinpath('resource', 'collect.html').read_text(encoding='utf-8')
    common: dict[str, Any] = {'collection': collection, 'view': view, 'address': address}
    return tornado.web.Application(
        [
            ('/', _Page, {**common, 'page': page}),
            ('/state', _State, common),
            ('/(frame|seen)', _Picture, common),
            (f'/({"|".join(ACTIONS)})', _Action, common),
        ],
        default_handler_class=_Handler,
        default_handler_args=common,
        log_function=lambda handler: None,
    )


def is_own_host(host: str, address: str) -> bool:
    """Whether `host`, with or without a port, is a name or address of what serves on `address`.

    Numbers cannot be pointed elsewhere, as names of the internet can.
    """
    name = urlsplit(f'//{host}').hostname or ''
    is_number = True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        is_number = False
    here = socket.gethostname().lower()
    return is_number or name in ('localhost', address.lower(), here, f'{here}.local')


def _is_foreign(method: str, headers: Mapping[str, str], host: str) -> bool:
    """Whether a page of another origin had its browser send the request."""
    origin = headers.get('Origin')
    if origin is not None and urlsplit(origin).netloc != host:
        return True
    follows_link = method == 'GET' and headers.get('Sec-Fetch-Mode') == 'navigate'
    site = headers.get('Sec-Fetch-Site', 'none')
    return site not in ('none', 'same-origin') and not follows_link


class _Handler(tornado.web.RequestHandler):
    """What holds for every request; answers in JSON."""

    def initialize(self, collection: Collection, view: LiveView, address: str) -> None:
        self.collection, self.view, self._address = collection, view, address

    def set_default_headers(self) -> None:
        self.clear_header('Server')
        for name, value in (
            ('Cache-Control', 'no-store'),
            ('Cross-Origin-Resource-Policy', 'same-origin'),
            ('Referrer-Policy', 'no-referrer'),
            ('X-Content-Type-Options', 'nosniff'),
            ('X-Frame-Options', 'DENY'),
        ):
            self.set_header(name, value)

    def prepare(self) -> None:
        host = self.request.host
        if not is_own_host(host, self._address):
            raise _refusal(403, f'{host} is no name of this machine; open the address in the log')
        if _is_foreign(self.request.method or '', self.request.headers, host):
            raise _refusal(403, 'requests of other pages are refused')
        self.collection.hear(self.get_query_argument('page', ''))

    def get(self, *_: str) -> None:
        raise _refusal(404, f'there is no {self.request.path} here')

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say what was wrong in JSON."""
        reason = kwargs.get('exc_info', (None, None, None))[1]
        said = getattr(reason, 'log_message', None) or self._reason
        self.finish(json.dumps({'message': said}))


def _refusal(status: int, reason: str) -> tornado.web.HTTPError:
    return tornado.web.HTTPError(status, reason.replace('%', '%%'))


class _Page(_Handler):
    def initialize(self, page: str, **common: Any) -> None:  # type: ignore[override]
        super().initialize(**common)
        self._page = page

    def get(self, *_: str) -> None:
        script = re.findall('<script>(.*?)</script>', self._page, re.DOTALL)[0]
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        self.set_header(
            'Content-Security-Policy',
            f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
            f"img-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; "
            f"frame-ancestors 'none'",
        )
        self.finish(self._page)


class _State(_Handler):
    async def get(self, *_: str) -> None:  # type: ignore[override]
        """What there is, as soon as it is no longer the `version` that the page knows."""
        await self.view.changed(self.get_query_argument('version', ''), LONGEST_WAIT)
        self.finish(self.view.state())


class _Picture(_Handler):
    async def get(self, which: str) -> None:  # type: ignore[override]
        """The newest frame as a JPEG, as it would be saved or as the network sees it."""
        loop = asyncio.get_running_loop()
        content = await loop.run_in_executor(None, self.view.picture, which)
        if content is None:
            raise _refusal(404, 'there is no frame yet')
        self.set_header('Content-Type', 'image/jpeg')
        self.finish(content)


class _Action(_Handler):
    def get(self, *_: str) -> None:
        raise _refusal(405, 'this changes something, so it must be a POST')

    async def post(self, name: str) -> None:
        """Do one of ACTIONS; the body is JSON: {"name": CLASS, "page": NAME OF THE PAGE}."""
        # Other pages cannot send this type without asking first, which is refused.
        if self.request.headers.get('Content-Type', '').split(';')[0] != 'application/json':
            raise _refusal(415, 'Content-Type must be application/json')
        try:
            body = json.loads(self.request.body or b'{}')
            values = [body.get(key, '') for key in ('name', 'page')]
        except (ValueError, AttributeError):
            values = [None]
        if not all(isinstance(value, str) for value in values):
            raise _refusal(400, 'the body must be JSON such as {"name": "mug"}')
        try:
            action = ACTIONS[name]
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, action, self.collection, *values)
        except Refused as reason:
            self.set_status(409)
            self.finish({'message': sentence(reason)})
        else:
            self.finish({'message': self.collection.message})
