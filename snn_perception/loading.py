"""Models from wherever they lie: those of the package, folders, and NIR files."""

from __future__ import annotations

from pathlib import Path

from snn_perception.interchange.nir_files import is_nir
from snn_perception.interchange.nir_reading import read_model
from snn_perception.locations import resolve, share_directory
from snn_perception.model import Model, read_folder
from snn_perception.model_file import ModelError


def shipped_models() -> tuple[str, ...]:
    """Names of the models that come with the package."""
    return tuple(
        sorted(path.parent.name for path in share_directory().glob('models/*/model.yaml'))
    )


def load_model(location: str | Path, step: float | None = None) -> Model:
    """The model at `location`: a shipped name, a folder or NIR file, or `package://PACKAGE/PATH`.

    `step` (s) is the time step of the library that wrote a NIR file, for one that does not
    say; see `interchange.nir_reading`. Everything is checked before memory is allocated for
    the weights. Raises ModelError.
    """
    try:
        path = resolve(str(location), 'models')
    except ValueError as reason:
        raise ModelError(f'model {location}: {reason}') from None
    if is_nir(path):
        return read_model(path, step)
    if path.is_file():
        raise ModelError(
            f'model {path}: it is not a NIR file; a model is that, or a folder with a model.yaml'
        )
    if not (path / 'model.yaml').is_file():
        shipped = ', '.join(shipped_models()) or 'none'
        raise ModelError(
            f'model {str(location)!r} is not found: {path / "model.yaml"} does not exist; '
            f'shipped models: {shipped}'
        )
    return read_folder(path)
