"""Where things lie: the data of this package, and what a name or a path of a user means."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from urllib.parse import urlparse

PACKAGE = 'snn_perception'


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


def resolve(location: str, shipped: str) -> Path:
    """Path of a shipped name, a file path, or a `package://PACKAGE/PATH` URI.

    A plain word that is no existing path is a name in the folder `shipped` of this package,
    for example 'mnist' in 'models'. The path need not exist.
    """
    if location.startswith('package://'):
        uri = urlparse(location)
        return share_directory(uri.netloc) / uri.path.lstrip('/')
    path = Path(location).expanduser()
    if path.exists() or len(path.parts) != 1:
        return path
    return share_directory() / shipped / location
