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

"""Compiling with numba: the options that all loops share, and a cache that goes by content.

numba's own cache depends on where a file is and when it was changed, and it does not notice
changes in what that file imports. Here compiled code is found by a digest of the file and of all
files of the package that it imports: equal sources share it wherever they are, and changed ones
are compiled anew.
"""

from __future__ import annotations

import ast
import hashlib
import logging
import os
import pickle
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numba
from llvmlite import binding
from numba.core import caching

LOG = logging.getLogger('snn_perception.compiled')

# numba's annotations do not cover all that is used here.
config: Any = numba.config
njit: Any = numba.njit

PACKAGE = Path(__file__).parent

SECONDS_KEPT = 90 * 24 * 3600
"""Compiled code that has not been loaded for so long is removed."""

DIGEST_BYTES = hashlib.sha256().digest_size


class Compilation(NamedTuple):
    """A function that this process has compiled, in how many seconds, and whether it is kept."""

    name: str
    seconds: float
    is_kept: bool


COMPILATIONS: list[Compilation] = []
"""What this process has compiled, instead of loading it, the latest last."""


def compiled(**options: Any) -> Callable[[Callable], Any]:
    """Decorator for a function that Python calls: compiled once per machine, runs without the GIL.

    Compiled code is kept in `cache_folder`. Where this cannot be written, every process compiles
    what it lacks anew and says so in the log. `options` are numba's.
    """

    def decorate(function: Callable) -> Any:
        _tell_apart(function)
        dispatcher = _njit(**options)(function)
        if not config.DISABLE_JIT:
            _keep(dispatcher)
        return dispatcher

    return decorate


def part(**options: Any) -> Callable[[Callable], Any]:
    """Decorator for a function that only compiled functions call, and that becomes part of them.

    It lacks the code by which Python could call it, but it is compiled for itself and again as
    part of each caller, and for each constant that is an argument. What is large costs less if it
    is `compiled` and called by its address, or with inline='always' if it has but one caller.
    """
    return _njit(no_cpython_wrapper=True, **options)


def _njit(**options: Any) -> Any:
    # Nothing calls it from C.
    return njit(nogil=True, error_model='numpy', no_cfunc_wrapper=True, **options)


def address_of(function: Any, kinds: tuple) -> int:
    """The address of the machine code of `function` for arguments of numba's types `kinds`.

    `function` must return nothing; it is compiled or loaded if need be.
    """
    result = function.get_compile_result(numba.types.none(*kinds))
    return result.library.get_pointer_to_function(result.fndesc.llvm_func_name)


def cache_folder() -> Path | None:
    """The folder of compiled code, which need not exist; None if the user has no home.

    It is in NUMBA_CACHE_DIR, XDG_CACHE_HOME or ~/.cache, the first that there is.
    """
    root = config.CACHE_DIR or os.environ.get('XDG_CACHE_HOME')
    if not root:
        try:
            root = Path.home() / '.cache'
        except RuntimeError:
            return None
    return Path(root) / 'snn_perception'


def processor() -> str:
    """The processor that is compiled for, by LLVM's name."""
    return config.CPU_NAME or binding.get_host_cpu_name()


def sources_of(file: Path) -> set[Path]:
    """`file` and all files of the package that it imports, directly or through others."""
    found, new = set(), {file}
    while new:
        found |= new
        new = {imported for source in new for imported in _imports_of(source)} - found
    return found


def _imports_of(file: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module, level = getattr(node, 'module', None), getattr(node, 'level', 0)
            base = file.parents[level - 1] if level else PACKAGE.parent
            base = base.joinpath(*(module or '').split('.'))
            # What is imported from a package may be a module of its own.
            for path in (base, *(base.joinpath(*name.name.split('.')) for name in node.names)):
                if path.is_relative_to(PACKAGE):
                    choices = path.with_suffix('.py'), path / '__init__.py'
                    yield from (choice for choice in choices if choice.is_file())


@cache
def _digest_of(file: Path) -> str:
    """A digest of the names and contents of `sources_of(file)`."""
    digest = hashlib.sha256()
    for source in sorted(sources_of(file)):
        name, content = os.path.relpath(source, PACKAGE), source.read_bytes()
        digest.update(f'{name} {len(content)}\n'.encode() + content)
    return digest.hexdigest()


def _tell_apart(function: Callable) -> None:
    """Name `function` after what it encloses.

    numba names machine code after the function and a count of functions compiled so far. So code
    from two processes may have one name in a shared cache, and whoever asks for it by name gets
    the one that was loaded last.
    """
    if function.__closure__:
        values = caching.dumps([cell.cell_contents for cell in function.__closure__])
        function.__qualname__ += f'_{hashlib.sha256(values).hexdigest()[:8]}'


def _keep(dispatcher: Any) -> None:
    """Let `dispatcher` load and save compiled code."""
    try:
        # As numba's own `enable_caching` does.
        dispatcher._cache = _Cache(dispatcher.py_func)
    except RuntimeError as error:  # by a locator of NUMBA_CACHE_LOCATOR_CLASSES
        _say_that_it_is_not_kept(str(error))


@cache
def _say_that_it_is_not_kept(reason: str) -> None:
    LOG.warning(
        'compiled code cannot be kept, so each start compiles anew (%s); '
        'set NUMBA_CACHE_DIR to a folder that can be written',
        reason,
    )


@cache
def _say_that_it_compiles() -> None:
    LOG.info(
        'compiling code for this processor (%s), for some seconds, as %s',
        processor(),
        f'{folder} does not have it yet' if (folder := cache_folder()) else 'nothing can be kept',
    )


class _Locator(caching._CacheLocator):
    """Tells numba where to keep the compiled code of a function, and what it depends on."""

    def __init__(self, function: Callable, file: str) -> None:
        self._py_file = file
        self._line = function.__code__.co_firstlineno

    def get_cache_path(self) -> str:
        return str(cache_folder() or '')

    def ensure_cache_path(self) -> None:
        """Nothing: what cannot be written may still be read."""

    def get_source_stamp(self) -> str:
        return _digest_of(Path(self._py_file))

    def get_disambiguator(self) -> str:
        return str(self._line)

    @classmethod
    def from_function(cls, function: Callable, file: str) -> _Locator:
        return cls(function, file)


class _Implementation(caching.CompileResultCacheImpl):
    _locator_classes = [_Locator]  # noqa: RUF012 (as numba has it)


class _Cache(caching.FunctionCache):
    """numba's cache of a function, but with a file of its own for each combination of types.

    numba keeps an index, in which entries get mixed up when two processes write at the same time.
    """

    _impl_class = _Implementation

    def __init__(self, function: Callable) -> None:
        super().__init__(function)
        self._started = 0.0
        # NUMBA_CACHE_LOCATOR_CLASSES may replace the locator, but not what code depends on.
        stamp = _digest_of(Path(function.__code__.co_filename))
        folder = Path(self.cache_path) if self.cache_path else None
        self._cache_file = _Files(folder, self._impl.filename_base, stamp)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        found = super().load_overload(sig, target_context)
        if found is None:
            _say_that_it_compiles()
            self._started = time.perf_counter()
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        name, seconds = self._py_func.__name__, time.perf_counter() - self._started
        LOG.info('compiled %s in %.1f s', name, seconds)
        super().save_overload(sig, data)
        COMPILATIONS.append(Compilation(name, seconds, self._cache_file.is_kept))


class _Files:
    """Compiled code of a function, found by a key: types, processor and enclosed values."""

    def __init__(self, folder: Path | None, base: str, stamp: str) -> None:
        self.folder, self.base, self.stamp = folder, base, stamp
        self.is_kept = False  # what was saved last

    def load(self, key: Any) -> Any:
        if self.folder is None:
            return None
        path = self.folder / self._name(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        digest, data = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
        # A power cut may have left a file without its content.
        if digest != hashlib.sha256(data).digest():
            return None
        with suppress(OSError):  # others' files, or a file system that cannot be written
            os.utime(path)
        # As numba's own cache does: whoever can write to the user's folder can run code anyway.
        return pickle.loads(data)

    def save(self, key: Any, data: Any) -> None:
        self.is_kept = False
        if self.folder is None:
            _say_that_it_is_not_kept('there is no home folder')
            return
        path, content = self.folder / self._name(key), caching.dumps(data)
        unfinished = path.with_suffix(f'.{uuid.uuid4().hex}')
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                unfinished.write_bytes(hashlib.sha256(content).digest() + content)
                unfinished.replace(path)
            finally:
                unfinished.unlink(missing_ok=True)
            self.is_kept = True
            if self.folder == cache_folder():  # elsewhere are files of others
                self._remove_unused(self.folder)
        except OSError as error:
            _say_that_it_is_not_kept(str(error))

    def flush(self) -> None:
        if self.folder is not None:
            for path in self.folder.glob(f'{self.base}-*'):
                path.unlink(missing_ok=True)

    def _name(self, key: Any) -> str:
        digest = hashlib.sha256(repr((self.stamp, numba.__version__, key)).encode())
        return f'{self.base}-{digest.hexdigest()[:24]}.nbc'

    @staticmethod
    def _remove_unused(folder: Path) -> None:
        for path in folder.iterdir():
            with suppress(FileNotFoundError):  # another process may do the same
                if path.stat().st_mtime < time.time() - SECONDS_KEPT:
                    path.unlink()
