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
