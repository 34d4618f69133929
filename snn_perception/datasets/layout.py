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

"""Where in a folder its classes lie, and which part of the data that is."""

from __future__ import annotations

from pathlib import Path

from snn_perception.datasets.finding import folders_in, holds_images
from snn_perception.datasets.takes import is_take

PARTS = {
    'train': 'training',
    'training': 'training',
    'test': 'test',
    'testing': 'test',
    'val': 'validation',
    'valid': 'validation',
    'validation': 'validation',
}
"""Names of folders, in lower case, that hold a part of a data set, and the part."""


def class_root(folder: Path, held_out: bool) -> tuple[Path, str]:
    """The folder at or below `folder` whose folders are the classes, and the part that it is.

    A folder that holds nothing but another with folders in it is only wrapped around that one.
    Of a folder for training beside one for tests or validation, the first is taken, or with
    `held_out` the other. The part is 'training', 'test', 'validation', or 'whole' for data
    that is not divided.
    """
    root = unwrapped(folder)
    parts = {PARTS.get(path.name.lower(), ''): path for path in reversed(folders_in(root))}
    # Tests of a competition have no classes, and lie beside a validation that has some.
    tests = sorted(
        (path for part, path in parts.items() if part in ('test', 'validation')),
        key=lambda path: (not folders_in(path), PARTS[path.name.lower()] != 'test'),
    )
    if 'training' in parts and tests:
        root = unwrapped(tests[0] if held_out else parts['training'])
    names = [name.lower() for name in root.relative_to(folder).parts]
    return root, next((PARTS[name] for name in names if name in PARTS), 'whole')


def unwrapped(folder: Path) -> Path:
    """`folder`, or the one below it in which there is more than a single folder of folders.

    A folder of takes is a class.
    """
    inner = folders_in(folder)
    below = folders_in(inner[0]) if len(inner) == 1 else []
    is_class = any(is_take(path.name) for path in below)
    is_wrapped = below and not is_class and not holds_images(inner[0])
    return unwrapped(inner[0]) if is_wrapped else folder


def class_of(image: Path, root: Path) -> str:
    """The class of `image`: its folder in the unwrapped `root`, however deep it lies in that.

    Folders of a part of the data are no classes; the class of an image that lies in none is
    the name of the folder it is in.
    """
    names = image.relative_to(root).parts[:-1] if root in image.parents else ()
    classes = (name for name in names if name.lower() not in PARTS)
    return next(classes, image.parent.name)
