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

"""A trained network without spikes, read from an ONNX or a TFLite file as layers of ours."""

from __future__ import annotations

from pathlib import Path

from snn_perception.interchange.analog_fates import ConversionError, Fate
from snn_perception.interchange.analog_network import Analog
from snn_perception.interchange.onnx_reading import read_onnx
from snn_perception.interchange.tflite_files import IDENTIFIER
from snn_perception.interchange.tflite_reading import read_tflite
from snn_perception.network import MAXIMUM_WEIGHTS
from snn_perception.sentences import sentence

__all__ = ['Analog', 'ConversionError', 'Fate', 'read_analog']

MAXIMUM_BYTES = 4 * MAXIMUM_WEIGHTS + 2**24
"""Largest file: all weights in float32, and some room for the rest."""


def read_analog(path: Path) -> Analog:
    """The network in the ONNX or TFLite file `path`.

    Raises ConversionError with one sentence, which names the node and what to do about it, for a
    file that is damaged or too large, or for a network that cannot be spiked.
    """
    try:
        analog = _read(path)
    except MemoryError:
        raise ConversionError(f'{path}: there is not enough memory to read it') from None
    except ValueError as reason:
        raise ConversionError(f'{path}: {sentence(reason)}') from None
    except Exception as reason:  # Offsets that point anywhere make the libraries raise anything.
        said = sentence(f'{type(reason).__name__} {reason}')
        raise ConversionError(f'{path}: is truncated or damaged: {said}') from None
    return analog


def _read(path: Path) -> Analog:
    suffix = path.suffix.lower()
    if not path.is_file():
        raise ConversionError('is no file')
    if path.stat().st_size > MAXIMUM_BYTES:
        raise ConversionError(f'is larger than the {MAXIMUM_BYTES} bytes allowed')
    try:
        content = path.read_bytes()
    except OSError as reason:
        raise ConversionError(f'cannot be read: {reason}') from None
    if suffix == '.tflite' or content[4:8] == IDENTIFIER:
        return read_tflite(content)
    if suffix == '.onnx':
        return read_onnx(content)
    raise ConversionError('is no TFLite file, and ONNX files have names that end with .onnx')
