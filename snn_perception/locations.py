"""Where things lie: the data of this package, and what a name or a path of a user means."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlparse


def share_directory(package: str = 'snn_perception') -> Path:
    """Where `package` installed its data: models, configuration, images.

    Without an ament index that knows this package, its source tree. Raises ValueError if
    another package is not found.
    """
    try:
        from ament_index_python.packages import get_package_share_directory

        return Path(get_package_share_directory(package))
    # OSError: there is an index, but no workspace is sourced.
    except (ImportError, LookupError, OSError):
        if package != 'snn_perception':
            raise ValueError(
                f'package {package} is not found; is its workspace sourced?'
            ) from None
    return Path(__file__).resolve().parents[1]


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
