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

"""Files of models with anything in them: how they are spoilt, and what loading them may do."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from snn_perception import load_model
from snn_perception.model import Model
from snn_perception.model_file import ModelError

LARGEST_GROWTH = 150e6
"""Bytes by which no bad file may make the process grow, whatever sizes it claims."""

LONGEST_REFUSAL = 1000
"""Letters of a sentence, the path included."""

PIECES = (
    *(
        b'\x00',
        b'- ',
        b': ',
        b'{',
        b'[',
        b'"',
        b'\xff' * 9,
        b'\n',
        b'  ',
        b'---\n',
        b'? ',
        b'<<: ',
    ),
    *(b'&a ', b'*a', b'&a [*a]', b'!!int ""', b'!!bool x', b'!!float x', b'!!timestamp x', b'!x '),
    *(b'2024-13-45', b'9' * 400, b'9' * 5000, b'"\\ud800"', b'[' * 300, b'1e999', b'0x', b'1:60'),
)
"""What means something in YAML where it should not stand."""

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 7, 65536, 65537, 2**31, 2**63, 2**64, -(2**70), 10**400),
    *(0.0, -0.0, 1e-320, 1e308, float('nan'), float('inf'), -float('inf'), 0.5),
    *('', 'x', '0', 'lif', 'none', 'dense', 'ä' * 1000, '\x00', '../..', '🤖', b'\xff'),
    *([], [[]], {}, {'type': 'dense'}, [0] * 5000, {'a': {'b': {'c': 1}}}, [None], {None: None}),
    *({1: 2}, {'type': []}, {'type': {}}, [float('nan')] * 3, ['a', 'b', 'c'], [28, 28, 1]),
)


@contextmanager
def little_memory() -> Iterator[None]:
    """Fail if the memory of this process grew by more than LARGEST_GROWTH at any moment."""
    Path('/proc/self/clear_refs').write_text('5')  # the peak is counted from now on
    before = memory('VmRSS')
    yield
    assert memory('VmHWM') - before < LARGEST_GROWTH


def memory(name: str) -> int:
    """A figure of this process in bytes."""
    status = Path('/proc/self/status').read_text()
    return 1024 * int(status.split(f'{name}:')[1].split()[0])


def load(path: Path, description: object) -> bool:
    """Whether the model at `path` is loaded and not refused; anything else fails the test."""
    try:
        model = load_model(path)
    except ModelError as reason:
        refusal = str(reason)
    except Exception as reason:
        raise AssertionError(f'{description}: {type(reason).__name__}: {reason}') from reason
    else:
        assert isinstance(model, Model)
        return True
    assert '\n' not in refusal, description
    assert len(refusal) < LONGEST_REFUSAL, description
    return False


def places(content: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in nested lists and mappings, as its container and its key there."""
    keys = list(content) if isinstance(content, dict) else range(len(content))
    for key in keys:
        yield content, key
        if isinstance(content[key], dict | list):
            yield from places(content[key])


def change_values(text: str, chance: random.Random) -> str:
    """YAML `text` with one or two values replaced, removed, doubled or put elsewhere."""
    content = yaml.safe_load(text)
    for _ in range(chance.randint(1, 2)):
        container, key = chance.choice(list(places(content)))
        action = chance.choice(['replace', 'replace', 'remove', 'double', 'swap', 'add'])
        if action == 'replace':
            container[key] = deepcopy(chance.choice(ODD))
        elif action == 'remove':
            del container[key]
        elif action == 'double' and isinstance(container, list):
            container.insert(key, container[key])
        elif action == 'swap':
            other, place = chance.choice(list(places(content)))
            container[key] = json.loads(json.dumps(other[place]))
        elif isinstance(container, dict):
            container[chance.choice(['wings', '', 0, None, True])] = deepcopy(chance.choice(ODD))
    return yaml.safe_dump(content, allow_unicode=True)


def change_letters(content: bytes, chance: random.Random) -> bytes:
    """`content` with bytes changed, cut out, inserted or repeated, or its end missing."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        begin = chance.randrange(len(data) + 1)
        end = begin + chance.choice([1, 1, 2, 8, 100])
        action = chance.choice(['change', 'change', 'cut', 'insert', 'repeat', 'truncate'])
        if action == 'change':
            data[begin:end] = chance.randbytes(len(data[begin:end]))
        elif action == 'cut':
            del data[begin:end]
        elif action == 'insert':
            data[begin:begin] = chance.choice(PIECES)
        elif action == 'repeat':
            data[begin:begin] = data[begin:end] * chance.choice([1, 3, 50])
        elif chance.random() < 0.2:
            del data[begin:]
    return bytes(data)


def change_header(content: bytes, chance: random.Random) -> bytes:
    """Safetensors with values of their header replaced; the length in front of it fits, mostly."""
    (length,) = struct.unpack('<Q', content[:8])
    header = json.loads(content[8 : 8 + length])
    for _ in range(chance.randint(1, 2)):
        container, key = chance.choice(list(places(header)))
        values = [value for value in ODD if not isinstance(value, bytes)]
        kinds = ['F32', 'F64', 'F16', 'BF16', 'I64', 'U8', 'F8_E4M3']
        container[key] = deepcopy(chance.choice([*values, *kinds]))
    text = json.dumps(header).encode()
    size = len(text) if chance.random() < 0.9 else chance.choice([0, 7, 2**31, 2**63, 2**64 - 1])
    return struct.pack('<Q', size) + text + content[8 + length :]
