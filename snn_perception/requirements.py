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

"""Libraries that not every use needs: whether they are there, new enough, and how to get them."""

from __future__ import annotations

import re
from importlib import metadata
from importlib.util import find_spec

MINIMUM = {'numba': '0.56', 'torch': '2.9'}
"""Oldest versions that the tests pass with or that have what the code calls, by library."""

PACKAGES = {'nengo_loihi': 'nengo-loihi', 'pynvml': 'nvidia-ml-py'}
"""Names of packages for pip, where they differ from that of the library."""


class MissingLibrary(ImportError):
    """A library that is not there or too old; the message says how to get it."""


def require(use: str, *libraries: str) -> None:
    """Raise MissingLibrary, a sentence that names `use`, unless all `libraries` can be imported.

    They are not imported for this: it takes no time.
    """
    missing = [name for name in libraries if find_spec(name) is None]
    if missing:
        names = ' and '.join(missing)
        verb = 'is' if len(missing) == 1 else 'are'
        raise MissingLibrary(f'{use} needs {names}, which {verb} not installed: {_how(*missing)}')
    for name in set(libraries) & set(MINIMUM):
        found = _version(name)
        if found is not None and _numbers(found) < _numbers(MINIMUM[name]):
            raise MissingLibrary(
                f'{use} needs {name} {MINIMUM[name]} or newer, and {found} is installed: '
                f'{_how(f"{name}>={MINIMUM[name]}")}'
            )


def _how(*wanted: str) -> str:
    """What to type, in a clone with the environment of its scripts and elsewhere."""
    packages = ' '.join(PACKAGES.get(name, name) for name in wanted)
    if '>' in packages:
        packages = f"'{packages}'"
    return f'pip install {packages} (in a clone: scripts/run pip install {packages})'


def _version(library: str) -> str | None:
    """Version of an installed `library`, None if its package does not say."""
    try:
        return metadata.version(PACKAGES.get(library, library))
    except metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r'\d+', version)[:3])
