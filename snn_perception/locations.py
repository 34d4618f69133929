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

"""Where things lie: the data of this package, and what a name or a path of a user means."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from urllib.parse import urlparse

PACKAGE = 'snn_perception'

logger = logging.getLogger(__name__)


def share_directory(package: str = PACKAGE) -> Path:
    """Where `package` installed its data: models, configuration, images.

    That is where its workspace or, for this package, pip put them; in a clone it is the clone.
    Raises ValueError if another package is not found.
    """
    try:
        from ament_index_python.packages import get_package_share_directory

        return Path(get_package_share_directory(package))
    # OSError: there is an index, but no workspace is sourced.
    except (ImportError, LookupError, OSError):
        if package != PACKAGE:
            raise ValueError(
                f'package {package} is not found; is its workspace sourced?'
            ) from None
    clone = Path(__file__).resolve().parents[1]
    return clone if (clone / 'package.xml').is_file() else _installed_by_pip()


def _installed_by_pip() -> Path:
    """The data that came with the wheel, which pip puts below the prefix of Python."""
    for file in metadata.files(PACKAGE) or ():
        if file.parts[-3:] == ('share', PACKAGE, 'package.xml'):
            return Path(str(file.locate())).resolve().parent
    raise ValueError(f'the data of {PACKAGE} is not installed; install it anew')


@dataclass(frozen=True)
class Shipped:
    """One kind of thing that comes with the package and has plain names.

    The thing called mnist is the file or folder `mnist` + `suffix` in `folder` of the package;
    `inside` is the file that makes a folder one. `kind` is what messages call it. The environment
    variable `variable` may name more folders with things that have plain names: the user's.
    """

    kind: str
    folder: str
    suffix: str = ''
    inside: str = ''
    variable: str = ''

    def names(self) -> tuple[str, ...]:
        """Of all that are shipped, in order."""
        entries = share_directory().joinpath(self.folder).glob(f'*{self.suffix}')
        found = (entry for entry in entries if (entry / self.inside).is_file())
        return tuple(sorted(entry.name.removesuffix(self.suffix) for entry in found))

    def of_user(self, name: str) -> Path | None:
        """The thing called `name` in a folder that `variable` names, in their order."""
        folders = os.environ.get(self.variable, '') if self.variable else ''
        entries = (Path(each).expanduser() / name for each in folders.split(os.pathsep) if each)
        return next((entry for entry in entries if (entry / self.inside).is_file()), None)

    def not_found(self, location: str | Path, path: Path) -> str:
        """The sentence for a `location` of which `path` is not there; it says what is."""
        sentence = f'{self.kind} {str(location)!r} is not found: {path} does not exist'
        if not path.is_absolute():
            # That of a node may be another one than that of who asks it.
            sentence = f'{sentence} in {Path.cwd()}'
        name = Path(location).name
        if name in self.names():
            return f'{sentence}; for the shipped {self.kind} write {name}'
        return f'{sentence}; shipped {self.kind}s: {", ".join(self.names()) or "none"}'


MODELS = Shipped('model', 'models', inside='model.yaml', variable='SNN_PERCEPTION_MODELS')
RECIPES = Shipped('recipe', 'config/train', suffix='.yaml')
CONVERSIONS = Shipped('conversion', 'config/convert', suffix='.yaml')


def resolve(location: str | Path, shipped: Shipped) -> Path:
    """Path of a shipped name, of a file or folder, or of a `package://PACKAGE/PATH` URI.

    A plain word, such as 'mnist', is the shipped thing of that name, whatever lies in the
    working directory; if there is none, it is a file or folder there, or else one of the user's,
    see `Shipped`. All else is a path:
    './mnist', 'a/b', '~/mnist', and any Path. It need not exist. If the working directory
    has a thing of the same kind and name, a warning says how to write that one. Raises
    ValueError for a package that is not found.
    """
    if not isinstance(location, str) or not _is_plain_word(location):
        return resolve_path(location)
    if location not in shipped.names():
        here = Path(location)
        return here if here.exists() else shipped.of_user(location) or here
    entry = location + shipped.suffix
    if (Path(entry) / shipped.inside).is_file():
        logger.warning(
            f'{location} is the shipped {shipped.kind}; for the one here write ./{entry}'
        )
    return share_directory() / shipped.folder / entry


def resolve_path(location: str | Path) -> Path:
    """Path of a file or folder, which is no shipped name; also of a `package://PACKAGE/PATH`.

    It need not exist. Raises ValueError for a package that is not found.
    """
    if isinstance(location, str) and location.startswith('package://'):
        uri = urlparse(location)
        return share_directory(uri.netloc) / uri.path.lstrip('/')
    return Path(location).expanduser()


def _is_plain_word(location: str) -> bool:
    """Whether `location` does not say where something lies, and so may be a shipped name."""
    says_where = location in ('', '.', '..') or location.startswith('~')
    return not says_where and os.sep not in location
