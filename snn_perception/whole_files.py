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

"""Writing a file whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A temporary path to write to; at the end its file replaces `path`, unless something failed.

    Raises OSError with a sentence if it cannot be written, for example on a full disk.
    """
    # Hidden, so that what a power cut leaves of an image is no image.
    unfinished = path.with_name(f'.{path.name}.unfinished')
    try:
        yield unfinished
        os.replace(unfinished, path)
    except (OSError, SafetensorError) as reason:
        kept = '; its previous content is kept' if path.exists() else ''
        raise OSError(f'{path} cannot be written: {reason}{kept}') from None
    finally:
        unfinished.unlink(missing_ok=True)
