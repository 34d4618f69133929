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

"""What pyproject.toml cannot say: data files, and which commands are installed where."""

import sys
from itertools import groupby
from pathlib import Path
from runpy import run_path
from xml.etree import ElementTree

from setuptools import find_packages, setup

NAME = 'snn_perception'
COMMANDS = run_path(f'{NAME}/__main__.py')['COMMANDS']
FRONT = f'{NAME}.__main__:main'
# Installed under share/snn_perception with the same layout as in the repository.
DATA = (
    'launch/*.launch.py',
    *(f'config/**/*.{kind}' for kind in ('json', 'rviz', 'txt', 'xml', 'yaml')),
    'models/*/*',
    'resource/*.html',
    'resource/images/**/*',
)

# colcon installs with these commands, pip with others. For `ros2 run` every command is an
# executable in lib/snn_perception, see setup.cfg; on the PATH of pip there is but one, with
# sub-commands. All are the same program, which asks by which name it was called.
by_colcon = {'install', 'develop'} & set(sys.argv)
executables = COMMANDS if by_colcon else ('snn-perception',)

data_files = [path for pattern in DATA for path in sorted(Path().glob(pattern)) if path.is_file()]

setup(
    # Also in pyproject.toml, which the setuptools of Ubuntu 22.04 does not read.
    name=NAME,
    version=ElementTree.parse('package.xml').findtext('version'),
    license='Apache-2.0',
    python_requires='>=3.10',
    packages=find_packages(include=[NAME, f'{NAME}.*']),
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (f'share/{NAME}', ['package.xml']),
        *(
            (f'share/{NAME}/{folder}', [str(path) for path in paths])
            for folder, paths in groupby(data_files, key=lambda path: path.parent)
        ),
    ],
    entry_points={'console_scripts': [f'{name} = {FRONT}' for name in executables]},
    zip_safe=False,
)
