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

"""Files of the Neuromorphic Intermediate Representation (NIR), which are HDF5, read with care.

Nothing in them is ever executed. The sizes that a file declares are checked before the library
nir reads it, and links to other files are refused.
"""

from __future__ import annotations

import io
from math import prod
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from snn_perception.model_file import ModelError
from snn_perception.network import MAXIMUM_NEURONS, MAXIMUM_WEIGHTS
from snn_perception.requirements import require
from snn_perception.sentences import sentence
from snn_perception.whole_files import written_whole

MAXIMUM_BYTES = 8 * MAXIMUM_WEIGHTS + 32 * MAXIMUM_NEURONS
"""Largest file and largest sum of all arrays: weights in float64, eight float32 per neuron."""
MAXIMUM_OBJECTS = 100_000
MAXIMUM_DEPTH = 8
SIGNATURE = b'\x89HDF\r\n\x1a\n'
"""The first bytes of every HDF5 file."""


def is_nir(path: Path) -> bool:
    """Whether `path` is an HDF5 file, or claims to be a NIR file by its name.

    Raises ModelError for a file that cannot be read.
    """
    if path.suffix.lower() == '.nir':
        return not path.is_dir()
    if not path.is_file():
        return False
    try:
        with path.open('rb') as file:
            return file.read(len(SIGNATURE)) == SIGNATURE
    except OSError as reason:
        raise ModelError(f'{path} cannot be read: {reason}') from None


def libraries() -> tuple[ModuleType, ModuleType]:
    """The libraries h5py and nir; raises ModelError if they are not installed."""
    try:
        require('a NIR file', 'nir', 'h5py')
        import h5py
        import nir
    except ImportError as reason:
        raise ModelError(str(reason)) from None
    return h5py, nir


def read_graph(path: Path) -> Any:
    """The nir.NIRGraph in the file `path`; its types are not checked. Raises ModelError."""
    h5py, nir = libraries()
    if not path.is_file():
        raise ModelError(f'{path} does not exist')
    if path.stat().st_size > MAXIMUM_BYTES:
        raise ModelError(f'{path} is larger than the {MAXIMUM_BYTES} bytes allowed')
    try:
        with h5py.File(path, 'r') as file:
            _Inspector(h5py).inspect(file, depth=0)
        with np.errstate(all='ignore'):
            graph = nir.read(path, type_check=False)
    except ModelError as reason:
        raise ModelError(f'{path}: {sentence(reason)}') from None
    except Exception as reason:  # The libraries may raise anything for a damaged file.
        said = sentence(f'{type(reason).__name__} {reason}')
        raise ModelError(f'{path} is damaged or not a NIR file: {said}') from None
    if not isinstance(graph, nir.NIRGraph):
        kind = type(graph).__name__
        raise ModelError(f'{path} must hold a NIRGraph, not only a node of type {kind}')
    return graph


def write_graph(graph: Any, path: Path) -> None:
    """Write the nir.NIRGraph `graph` to `path`; raises OSError with a sentence on failure."""
    _, nir = libraries()
    # In memory first: HDF5 does not recover from a full disk.
    buffer = io.BytesIO()
    nir.write(buffer, graph)
    with written_whole(path) as unfinished:
        unfinished.write_bytes(buffer.getbuffer())


class _Inspector:
    """Checks the headers of an open HDF5 file; raises ModelError for what does not belong."""

    def __init__(self, h5py: ModuleType) -> None:
        self.h5py = h5py
        self.objects = 0
        self.bytes = 0

    def inspect(self, group: Any, depth: int) -> None:
        """Check everything in `group`, which is `depth` groups below the root."""
        if depth > MAXIMUM_DEPTH:
            raise ModelError(f'groups are nested more than {MAXIMUM_DEPTH} deep')
        for name in group:
            self.objects += 1
            if self.objects > MAXIMUM_OBJECTS:
                raise ModelError(f'it holds more than {MAXIMUM_OBJECTS} objects')
            if not isinstance(group.get(name, getlink=True), self.h5py.HardLink):
                raise ModelError(f'{name!r} is a link to elsewhere, which is not followed')
            if group.get(name, getclass=True) is self.h5py.Group:
                self.inspect(group[name], depth + 1)
            else:
                self._check_dataset(name, group[name])

    def _check_dataset(self, name: str, dataset: Any) -> None:
        if not isinstance(dataset, self.h5py.Dataset) or dataset.shape is None:
            raise ModelError(f'{name!r} is neither a group nor an array')
        if dataset.external or dataset.is_virtual:
            raise ModelError(f'{name!r} keeps its values in another file, which is not read')
        is_text = self.h5py.check_string_dtype(dataset.dtype) is not None
        if not is_text and dataset.dtype.kind not in 'iufb':
            raise ModelError(f'{name!r} must hold numbers or text, not {dataset.dtype}')
        size = prod(dataset.shape)
        if is_text and size > MAXIMUM_OBJECTS:
            raise ModelError(f'{name!r} holds more than {MAXIMUM_OBJECTS} texts')
        self.bytes += size * dataset.dtype.itemsize
        if size > MAXIMUM_WEIGHTS or self.bytes > MAXIMUM_BYTES:
            raise ModelError(
                f'{name!r} of shape {dataset.shape} is larger than any network that can be run'
            )
