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

"""
Point the CMake files of the ROS wheels at this environment.

The wheels export the include directories of Python and NumPy as they were on the machine that
built them (/opt/python/cp311-cp311/...). Run with the Python of the environment; a second run
finds nothing left to do.
"""

import re
import sys
import sysconfig
from pathlib import Path

import numpy

BUILDER = r'/opt/python/cp\d+-cp\d+'
INCLUDE_DIRECTORIES = {
    re.compile(BUILDER + r'/include/python[\d.]+'): sysconfig.get_path('include'),
    re.compile(
        BUILDER + r'/lib/python[\d.]+/site-packages/numpy/(_core|core)/include'
    ): numpy.get_include(),
}


def main() -> None:
    for path in Path(sys.prefix, 'share').glob('*/cmake/*.cmake'):
        text = relocated = path.read_text()
        for pattern, directory in INCLUDE_DIRECTORIES.items():
            relocated = pattern.sub(directory, relocated)
        if relocated != text:
            path.write_text(relocated)


if __name__ == '__main__':
    main()
