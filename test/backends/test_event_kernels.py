"""The compiled loops of the sparse engine; what they compute is in test_event.py."""

from __future__ import annotations

import hashlib
from pathlib import Path

from snn_perception.backends import event_kernels


def test_compiled_code_is_out_of_date_when_the_vector_operations_change():
    folder = Path(event_kernels.__file__).parent
    sources = b''.join((folder / name).read_bytes() for name in ('lanes.py', 'vectors.py'))
    digest = hashlib.sha256(sources).hexdigest()[:16]
    assert digest == event_kernels.SOURCES, f'set SOURCES to {digest!r}'
