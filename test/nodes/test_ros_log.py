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

"""The package's messages in the log of a node."""

from __future__ import annotations

import logging

from snn_perception.nodes.ros_log import logging_to


class Log:
    """Remembers what a node's logger would say."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def __getattr__(self, severity: str):
        return lambda message: self.said.append((severity, message))


def test_messages_go_to_the_node_with_their_severity_while_it_runs() -> None:
    log = Log()
    source = logging.getLogger('snn_perception.compiled')
    package = logging.getLogger('snn_perception')
    before = package.level, package.propagate, package.handlers[:]
    with logging_to(log):
        source.debug('unheard')
        source.info('compiling %s', 'code')
        source.warning('not kept')
        source.error('broken')
    source.warning('too late')
    expected = [('info', 'compiling code'), ('warning', 'not kept'), ('error', 'broken')]
    assert log.said == expected
    assert (package.level, package.propagate, package.handlers) == before
