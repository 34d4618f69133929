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
