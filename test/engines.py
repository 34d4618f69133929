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

"""All engines, as parameters of tests; those whose libraries are not installed are skipped."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from snn_perception.backends import BACKENDS

OPTIONAL = {'nengo': 'nengo', 'loihi': 'nengo_loihi'}


def _parameter(name: str):
    library = OPTIONAL.get(name)
    is_missing = library is not None and find_spec(library) is None
    mark = pytest.mark.skipif(is_missing, reason=f'{library} is not installed')
    return pytest.param(name, marks=[mark] if library else [])


EVERY_ENGINE = [_parameter(name) for name in sorted(BACKENDS)]
