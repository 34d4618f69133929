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

"""Draws docs/collect.png: the page of the node `collect`, in a browser, on shipped photographs."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, Route

from snn_perception import load_model
from snn_perception.datasets.folders import at_size
from snn_perception.image_files import read_image
from snn_perception.images import Preprocessing, fit_image
from snn_perception.locations import share_directory
from snn_perception.nodes.collecting.collection import Collection, Frame
from snn_perception.nodes.collecting.live_view import LiveView
from snn_perception.nodes.collecting.page_server import PageServer
from snn_perception.nodes.collecting.picture_folder import PictureFolder
from snn_perception.nodes.parameters.collect_parameters import CollectParameters

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / 'test'))
from browsers import browser  # noqa: E402

THINGS = {'macaw': (14, 11, 9), 'espresso': (12, 15), 'ladybug': (9,)}
"""The photographs that are shown, and how many frames are saved of each in each take."""
HOME = '/home/robot'
SIZE = Preprocessing((480, 640, 3))


def frames(thing: str, preprocessing: Preprocessing) -> Iterator[Frame]:
    """A photograph as a camera sees it that moves."""
    [path] = (share_directory() / 'resource' / 'images' / 'everyday' / thing).iterdir()
    photograph = read_image(path)
    rows, columns = photograph.shape[:2]
    random = np.random.default_rng(4)
    for number in range(1000):
        share = random.uniform(0.7, 1.0)
        down, across = int(rows * share), int(columns * share)
        top, left = random.integers(0, rows - down + 1), random.integers(0, columns - across + 1)
        picture = fit_image(photograph[top : top + down, left : left + across], SIZE)
        yield Frame(number, picture, at_size(picture, preprocessing), time.monotonic())


@contextmanager
def collected(folder: Path) -> Iterator[PageServer]:
    """The page of a collection of THINGS, the last of which is still being recorded."""
    preprocessing = load_model('everyday').preprocessing
    parameters = CollectParameters(max_silence=3600.0, record_rate=60.0)
    collection = Collection(PictureFolder(folder), lambda: parameters)
    for thing, takes in THINGS.items():
        shown = frames(thing, preprocessing)
        for count in takes:
            collection.begin_take()
            while count:
                collection.see(next(shown))
                count -= collection.save(thing)
    collection.record(thing)
    view = LiveView(collection, preprocessing, lambda: ('/camera/image_raw (reliable)', ''))
    server = PageServer(collection, view, '127.0.0.1', 0)
    yield server
    server.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, browser() as running:
        os.chdir(folder)

        def rename(route: Route) -> None:
            text = route.fetch().text().replace(str(ROOT / 'scripts'), 'scripts')
            route.fulfill(body=text.replace(folder, HOME), content_type='application/json')

        page: Page = running.new_page(viewport={'width': 1060, 'height': 700})
        page.route('**/state?*', rename)
        with collected(Path(folder, 'collected')) as server:
            page.goto(server.url)
            page.get_by_text(HOME).first.wait_for()
            page.wait_for_function('document.getElementById("seen").naturalWidth > 0')
            drawn = page.screenshot(full_page=True)
            page.close()
    few_colours = Image.open(io.BytesIO(drawn)).convert('RGB').quantize(256)
    few_colours.save(ROOT / 'docs' / 'collect.png', optimize=True)


if __name__ == '__main__':
    main()
