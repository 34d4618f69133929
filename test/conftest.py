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

"""Settings of all tests, and what several of them need."""

import os
import resource
import signal
from contextlib import contextmanager

import optional
import pytest
from hypothesis import settings

# How long an example takes says nothing here: machines are shared and noisy.
settings.register_profile('untimed', deadline=None)
settings.load_profile('untimed')

# The networks here are so small, and other processes so many, that threads only wait.
os.environ.setdefault('OMP_NUM_THREADS', '1')


def pytest_configure():
    """Ctrl-C and the like have their effect, also where a shell runs the tests in the background.

    Such a shell has them ignored, in this process and in those that it starts. That ends before
    tests are collected, since libraries that they import keep the handlers that they find.
    """
    effects = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    for number, effect in effects.items():
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, effect)


class SkippedWithoutLibraries(pytest.Module):
    """A test file that is skipped, with the reason, where an optional library is missing."""

    def collect(self):
        try:
            return super().collect()
        except Exception as reason:
            if sentence := optional.absence(reason):
                pytest.skip(sentence, allow_module_level=True)
            raise


def pytest_pycollect_makemodule(module_path, parent):
    return SkippedWithoutLibraries.from_parent(parent, path=module_path)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A test too is skipped where it comes to a library that is missing."""
    report = (yield).get_result()
    if report.failed and (sentence := optional.absence(call.excinfo.value)):
        report.outcome = 'skipped'
        report.longrepr = (str(item.path), item.reportinfo()[1], f'Skipped: {sentence}')


@pytest.fixture
def full_disk():
    """A context in which the system refuses to write more than 1,000 bytes to any file."""

    @contextmanager
    def limited():
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited
