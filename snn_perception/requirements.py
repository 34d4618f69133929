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
import sys
import sysconfig
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

MINIMUM = {'numba': '0.56', 'numpy': '1.23', 'torch': '1.13'}
"""Oldest versions that the tests pass with, by library; what needs a newer one says so."""

PACKAGES = {
    'PIL': 'pillow',
    'cv2': 'opencv-python-headless',
    'nengo_loihi': 'nengo-loihi',
    'pynvml': 'nvidia-ml-py',
    'yaml': 'pyyaml',
}
"""Names of packages for pip, where they differ from that of the library."""


class MissingLibrary(ImportError):
    """A library that is not there or too old; the message says how to get it."""


def require(use: str, *libraries: str) -> None:
    """Raise MissingLibrary, a sentence that names `use`, unless all `libraries` can be imported.

    Each is a name, or a name and the oldest version that will do: 'torch>=2.9'. They are not
    imported for this: it takes no time.
    """
    oldest = {name: version for name, _, version in (each.partition('>=') for each in libraries)}
    missing = [name for name in oldest if find_spec(name) is None]
    if missing:
        names = ' and '.join(missing)
        verb = 'is' if len(missing) == 1 else 'are'
        raise MissingLibrary(
            f'{use} needs {names}, which {verb} not installed: {how_to_install(*missing)}'
        )
    for name, version in oldest.items():
        wanted, found = version or MINIMUM.get(name), _version(name)
        if wanted and found and _numbers(found) < _numbers(wanted):
            raise MissingLibrary(
                f'{use} needs {name} {wanted} or newer, and {found} is installed: '
                f'{how_to_install(f"{name}>={wanted}")}'
            )


def how_to_install(*wanted: str) -> str:
    """What to type, in a clone with the environment of its scripts and elsewhere."""
    packages = ' '.join(PACKAGES.get(name, name) for name in wanted)
    if '>' in packages:
        packages = f"'{packages}'"
    option = ' --break-system-packages' if _is_the_systems() else ''
    return f'pip install {packages}{option} (in a clone: scripts/run pip install {packages})'


def _is_the_systems() -> bool:
    """Whether this Python is a distribution's own, in which pip installs only when told twice."""
    marker = Path(sysconfig.get_path('stdlib'), 'EXTERNALLY-MANAGED')
    return sys.prefix == sys.base_prefix and marker.exists()


def _version(library: str) -> str | None:
    """Version of an installed `library`, None if its package does not say."""
    try:
        return metadata.version(PACKAGES.get(library, library))
    except metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r'\d+', version)[:3])
