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

"""Compiled code is shared by content, and a place to keep it is not needed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from snn_perception import compiled
from snn_perception.backends import event_kernels

pytestmark = pytest.mark.slow

PACKAGE = Path(compiled.__file__).parent

COUNTER = """
from snn_perception.compiled import compiled, part
from .vectors import count_bits

@part()
def add(total, word):
    return total + count_bits(word)

@compiled()
def bits_set(words):
    total = 0
    for word in words:
        total = add(total, word)
    return total

def writer(number):
    @compiled()
    def write(numbers):
        numbers[0] = number
    return write
"""

RUN = """
import numpy as np
from snn_perception.backends.counter import bits_set
print(bits_set(np.array([1, 3, 7], np.uint64)), len(bits_set.stats.cache_hits))
"""


ENGINE = """
import logging, sys, time
logging.basicConfig(level=logging.INFO)
from snn_perception.backends import create_simulator
from snn_perception.loading import load_model
model, started = load_model(sys.argv[1]), time.process_time()
create_simulator(model, 'event')
seconds = time.process_time() - started
from snn_perception.compiled import COMPILATIONS
print(len(COMPILATIONS), seconds)
"""

SHIPPED = PACKAGE.parent / 'models'


def needs(*command):
    """Skip a test unless `command` works here."""
    works = shutil.which(command[0]) and not subprocess.run([*command, 'true']).returncode
    return pytest.mark.skipif(not works, reason=f'needs {" ".join(command)}')


class Checkout:
    """A copy of the package with a compiled function of its own; all have one `cache`."""

    def __init__(self, folder: Path, cache: Path):
        self.package = folder / 'snn_perception'
        self.environment = {**os.environ, 'NUMBA_CACHE_DIR': str(cache)}
        shutil.copytree(PACKAGE, self.package, ignore=shutil.ignore_patterns('__pycache__'))
        (self.package / 'backends' / 'counter.py').write_text(COUNTER, encoding='utf-8')

    def run(
        self, program: str = RUN, *arguments: object, within: Sequence[object] = ()
    ) -> subprocess.CompletedProcess:
        """A process that runs `program`: if none is given it counts the bits of three words.

        within: the beginning of a command line that runs the rest of it in other circumstances.
        """
        done = subprocess.run(
            [*map(str, within), sys.executable, '-c', program, *map(str, arguments)],
            cwd=self.package.parent,  # from where Python imports first
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert done.returncode == 0, done.stderr
        return done

    def compiles(self) -> bool:
        """Run; whether the function had to be compiled for that."""
        return has_compiled(self.run())


def has_compiled(done: subprocess.CompletedProcess) -> bool:
    """Whether a process that counted the bits had to compile the function for that."""
    total, hits = done.stdout.split()
    assert total == '6'
    return hits == '0'


@pytest.fixture(scope='module')
def filled(tmp_path_factory):
    """A cache that a checkout has filled."""
    folder = tmp_path_factory.mktemp('filled')
    assert Checkout(folder / 'first', folder / 'cache').compiles()
    return folder / 'cache'


@pytest.fixture
def cache(tmp_path, filled):
    return Path(shutil.copytree(filled, tmp_path / 'cache'))


@pytest.fixture
def checkout(tmp_path, cache):
    return Checkout(tmp_path / 'checkout', cache)


def test_a_checkout_uses_what_another_has_compiled(checkout):
    assert not checkout.compiles()


@pytest.mark.parametrize('name', ['mnist', 'cifar10'])
def test_a_shipped_model_compiles_in_seconds_and_never_again_not_even_elsewhere(name, tmp_path):
    first, second = (Checkout(tmp_path / each, tmp_path / 'cache') for each in ('one', 'two'))
    done = first.run(ENGINE, SHIPPED / name)
    count, seconds = map(float, done.stdout.split())
    assert count >= 2
    assert seconds < 8  # of processor time, also where it is half as fast as usual
    assert done.stderr.count('compiling code for this processor') == 1
    assert len(re.findall(r'compiled \w+ in \d+\.\d s', done.stderr)) == count
    kept = {path: path.stat().st_ino for path in tmp_path.rglob('*.nbc')}
    assert len(kept) == count
    for checkout in (first, second):
        done = checkout.run(ENGINE, SHIPPED / name)
        assert done.stdout.split()[0] == '0'
        assert 'compil' not in done.stderr
    assert {path: path.stat().st_ino for path in tmp_path.rglob('*.nbc')} == kept


def test_a_file_with_a_new_date_and_the_same_content_compiles_nothing(checkout):
    for path in checkout.package.rglob('*.py'):
        os.utime(path, (1, 1))
    assert not checkout.compiles()


def test_a_change_in_a_file_or_in_what_it_imports_compiles_anew(checkout):
    paths = [
        checkout.package / 'backends' / name for name in ('counter.py', 'vectors.py', 'lanes.py')
    ]
    before = [path.read_bytes() for path in paths]
    for path, content in zip(paths, before, strict=True):
        path.write_bytes(content + b'# changed\n')
        assert checkout.compiles(), path.name
    for path, content in zip(paths, before, strict=True):
        path.write_bytes(content)
    assert not checkout.compiles()


def test_a_change_in_other_files_compiles_nothing(checkout):
    with (checkout.package / 'backends' / 'event.py').open('a') as file:
        file.write('# changed\n')
    assert not checkout.compiles()


def test_the_engine_depends_on_all_that_its_loops_are_made_of():
    found = {path.name for path in compiled.sources_of(Path(event_kernels.__file__))}
    loops = {'event_kernels.py', 'event_rows.py', 'event_memory.py', 'vectors.py', 'lanes.py'}
    assert loops <= found
    assert 'event.py' not in found


def test_a_damaged_file_in_the_cache_compiles_anew(checkout, cache):
    for path in cache.rglob('*.nbc'):
        path.write_bytes(path.read_bytes()[:-100])
    assert checkout.compiles()
    assert not checkout.compiles()


def test_what_nobody_has_loaded_for_long_is_removed_when_something_new_is_saved(checkout, cache):
    (old,) = cache.rglob('*.nbc')
    os.utime(old, (1, 1))
    with (checkout.package / 'backends' / 'counter.py').open('a') as file:
        file.write('# changed\n')
    assert checkout.compiles()
    (new,) = cache.rglob('*.nbc')
    assert new != old


def test_functions_that_differ_in_what_they_enclose_have_addresses_of_their_own(checkout):
    program = """
import numba
from snn_perception.compiled import address_of
from snn_perception.backends.counter import writer
writers = [writer(number) for number in {numbers}]
for _ in range(2):
    addresses = [address_of(write, (numba.int64[::1],)) for write in writers]
print(len(set(addresses)), [len(write.stats.cache_hits) for write in writers])
"""
    for numbers in ([2], [3]):  # each is the first that its process compiles
        checkout.run(program.format(numbers=numbers))
    assert checkout.run(program.format(numbers=[2, 3])).stdout == '2 [1, 1]\n'


@needs('unshare', '-rm')
def test_code_that_can_be_read_but_not_written_is_loaded(checkout, cache):
    mount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    read_only = 'unshare', '-rm', 'sh', '-c', mount, cache
    done = checkout.run(within=read_only)
    assert not has_compiled(done)
    assert not done.stderr
    with (checkout.package / 'backends' / 'counter.py').open('a') as file:
        file.write('# changed\n')
    done = checkout.run(within=read_only)
    assert has_compiled(done)
    assert 'compiled code cannot be kept, so each start compiles anew ([Errno 30]' in done.stderr


@pytest.mark.parametrize('variable', ['HOME', 'NUMBA_CACHE_DIR'])
def test_without_a_place_for_compiled_code_it_runs_and_says_so_once(checkout, variable):
    for name in ('NUMBA_CACHE_DIR', 'XDG_CACHE_HOME'):
        checkout.environment.pop(name, None)
    checkout.environment[variable] = os.devnull
    done = checkout.run()
    assert has_compiled(done)
    assert done.stderr.count('compiled code cannot be kept') == 1
    assert 'NUMBA_CACHE_DIR' in done.stderr


@needs('unshare', '--map-user=54321')
def test_without_a_home_it_runs_and_says_so_once(checkout):
    for name in ('NUMBA_CACHE_DIR', 'XDG_CACHE_HOME', 'HOME'):
        checkout.environment.pop(name, None)
    done = checkout.run(within=('unshare', '--map-user=54321'))  # a user whom no file knows
    assert has_compiled(done)
    assert done.stderr.count('(there is no home folder); set NUMBA_CACHE_DIR to a folder') == 1
