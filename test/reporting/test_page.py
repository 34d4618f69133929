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

from base64 import b64decode
from html.parser import HTMLParser

from snn_perception.reporting.page import Section, page

PICTURE = b'\x89PNG picture'


class Elements(HTMLParser):
    """The elements of a page with their attributes, its text, and whether all are closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.text = ''
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in ('meta', 'img'):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def make(tmp_path) -> str:
    (tmp_path / 'one.png').write_bytes(PICTURE)
    sections = [
        Section('Accuracy', 'more is better', tmp_path / 'one.png'),
        Section('Chips', 'a < b & c', table=[('chip', 'energy'), ('<loihi>', '1 uJ')]),
    ]
    return page('cats & dogs', 'an introduction', {'accuracy': '99 %'}, sections)


def test_pictures_are_inside(tmp_path):
    elements = Elements(make(tmp_path))
    [image] = [attributes for tag, attributes in elements.found if tag == 'img']
    kind, data = image['src'].split(',')
    assert kind == 'data:image/png;base64'
    assert b64decode(data) == PICTURE
    assert image['alt'] == 'Accuracy'


def test_what_people_wrote_is_text_and_not_markup(tmp_path):
    elements = Elements(make(tmp_path))
    assert elements.open == []
    for text in ('cats & dogs', 'an introduction', '99 %', 'a < b & c', '<loihi>', '1 uJ'):
        assert text in elements.text
    assert [tag for tag, _ in elements.found].count('th') == 2


def test_nothing_is_loaded_and_nothing_runs(tmp_path):
    text = make(tmp_path)
    assert 'http' not in text.replace('http-equiv', '')
    assert 'url(' not in text
    assert {tag for tag, _ in Elements(text).found}.isdisjoint({'script', 'link', 'iframe'})
