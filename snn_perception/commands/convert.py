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

"""`convert FILE --data IMAGES`: a trained network becomes a spiking one."""

from __future__ import annotations

import argparse
import shlex
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snn_perception.commands.long_runs import interruptible, trained
from snn_perception.commands.options import count, seconds
from snn_perception.locations import resolve_path
from snn_perception.reporting.tables import Table, aligned, markdown
from snn_perception.targets import file_to_write, folder_to_write

if TYPE_CHECKING:
    from snn_perception.training.conversion_recipe import Conversion

QUICK, DISTILLED = 'quick', 'distilled'
STAGES = ('none', 'rates', 'spikes')
SCREEN = Path('-')
"""Stands for the standard output."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = parse(arguments)
    return interruptible('convert', lambda: trained('convert', partial(_run, options)))


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options in `arguments`, or in those of the process."""
    parser = argparse.ArgumentParser(
        prog='convert',
        description='Make a spiking model of a trained network in an ONNX or TFLite file. Its '
        'layers are fitted on images without labels, and on request distilled from its own '
        'answers. Under torchrun, several processes share every batch.',
    )
    parser.add_argument('file', type=Path, help='the network, as .onnx or .tflite')
    parser.add_argument('--data', help='folder of images, in folders or not; if a folder is '
                        'named like a label, it tells how often answers are right')  # fmt: skip
    parser.add_argument('--output', type=folder_to_write, help='directory to write to and to '
                        'resume from (default: converted/<name>)')  # fmt: skip
    parser.add_argument('--recipe', help=f'name of a shipped recipe, or a YAML file (default: '
                        f'{QUICK}, without training; {DISTILLED} with --stages)')  # fmt: skip
    parser.add_argument('--stages', nargs='+', choices=STAGES, metavar='STAGE',
                        help='of the training in the recipe only these: rates, spikes, or none '
                        '(default: all of the recipe)')  # fmt: skip
    parser.add_argument(
        '--report',
        nargs='?',
        type=_target,
        const=SCREEN,
        metavar='FILE',
        help='show what became of every node of the file and, after a conversion, where accuracy '
        'goes, or write it to FILE as Markdown; without --data nothing else is done',
    )
    parser.add_argument('--limit', type=count, help='use at most this many images, evenly spread')
    parser.add_argument('--device', default='auto', choices=('auto', 'cpu', 'cuda'))
    _add_changes(parser)
    options = parser.parse_args(arguments)
    if options.data is None and options.report is None:
        parser.error('--data is needed; only --report does without')
    if options.stages and 'none' in options.stages and len(options.stages) > 1:
        parser.error('argument --stages: none is for no others')
    return options


def _add_changes(parser: argparse.ArgumentParser) -> None:
    """Add the options that stand for something in the recipe."""
    group = parser.add_argument_group('in the place of what the recipe or the file says')
    group.add_argument('--name', help='of the model')
    group.add_argument('--labels', type=Path, help='text file with a line for each output')
    group.add_argument('--leave-out', nargs='+', metavar='LABEL', help='labels to drop')
    three = '1 number or one per channel in the order of the network, for pixels from 0 to 1'
    group.add_argument('--mean', type=float, nargs='+', help=f'taken from the pixels: {three}')
    group.add_argument('--deviation', type=float, nargs='+', help='which they are divided by then')
    group.add_argument('--bgr', action=argparse.BooleanOptionalAction, default=None,
                       help='the network was trained with blue before red')  # fmt: skip
    group.add_argument('--fit', choices=('crop', 'pad', 'stretch'), help='of images of any size')
    group.add_argument('--centre', type=float, metavar='SHARE', help='of the height and width of '
                       'images, which is kept (with crop or stretch)')  # fmt: skip
    group.add_argument('--neuron', choices=('lif', 'if'), help='kind of neuron')
    group.add_argument(
        '--window',
        type=seconds,
        metavar='SECONDS',
        help='in which each layer has its turn: a longer one has more spikes, and answers come '
        'later',
    )


def _target(text: str) -> Path:
    return SCREEN if text == str(SCREEN) else file_to_write(text)


def _run(options: argparse.Namespace) -> None:
    # Importing PyTorch takes seconds, too long for --help or a wrong argument.
    from snn_perception.backends.torch import choose_device
    from snn_perception.energy import prices
    from snn_perception.training.conversion_card import Source
    from snn_perception.training.conversion_pipeline import convert_file, read
    from snn_perception.training.conversion_recipe import load_conversion
    from snn_perception.training.conversion_tables import (
        layer_table,
        network_table,
        node_table,
        stage_table,
    )

    prices()  # The card of the model needs them at the end.
    name = options.recipe
    if name is None:
        name = DISTILLED if options.stages not in (None, ['none']) else QUICK
    conversion, path = load_conversion(name)
    conversion = changed(conversion, options)
    analog, labels = read(options.file, conversion, path.parent)
    tables = {'Network': network_table(analog, conversion), 'Nodes': node_table(analog.fates)}
    if options.data is None:
        _write(options.report, tables)
        return
    converted = convert_file(
        Source(options.file, path.stem, _command(options)),
        conversion,
        analog,
        labels,
        resolve_path(options.data),
        options.output or Path('converted') / conversion.name,
        choose_device(options.device),
        options.limit,
    )
    if options.report is not None and converted is not None:
        tables['Stages'] = stage_table(converted.findings)
        tables['Layers'] = layer_table(converted.model.network, converted.findings)
        _write(options.report, tables)


def changed(conversion: Conversion, options: argparse.Namespace) -> Conversion:
    """`conversion` with what `options` say in its place; raises RecipeError or ValueError."""
    from snn_perception.model_file import NeuronSection
    from snn_perception.neurons import IF, LIF
    from snn_perception.training.recipe import RecipeError

    changes: dict[str, Any] = {
        'name': options.name,
        'labels': options.labels and str(options.labels.expanduser().absolute()),
        'left_out': _tuple(options.leave_out),
        'firing_window': options.window,
    }
    if options.neuron is not None:
        kind = {'lif': LIF, 'if': IF}[options.neuron]
        neuron = kind(conversion.neuron.neuron.tau_rc, 0.0)  # type: ignore[attr-defined]
        changes['neuron'] = NeuronSection(neuron, conversion.neuron.gamma)
    of_input = {
        'mean': _tuple(options.mean),
        'deviation': _tuple(options.deviation),
        'bgr': options.bgr,
        'fit': options.fit,
        'centre': options.centre,
    }
    changes['input'] = replace(conversion.input, **_given(of_input))
    changes = _given(changes)
    for mode in options.stages or ():
        if mode != 'none' and mode not in conversion.stages:
            known = ', '.join(conversion.stages) or 'none'
            raise RecipeError(f'the recipe has no stage {mode}; its stages: {known}')
    if options.stages:
        changes |= {mode: None for mode in conversion.stages if mode not in options.stages}
    return replace(conversion, **changes)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _tuple(values: list[Any] | None) -> tuple[Any, ...] | None:
    return None if values is None else tuple(values)


def _command(options: argparse.Namespace) -> str:
    """The command line that makes the same model elsewhere."""
    words = ['scripts/run', 'convert', options.file.name]
    values = {**vars(options), 'labels': options.labels and options.labels.name}
    names = (
        *('recipe', 'stages', 'name', 'labels', 'leave_out', 'mean', 'deviation', 'fit'),
        *('centre', 'neuron', 'window', 'limit'),
    )
    for name in names:
        if values[name] is not None:
            value = values[name] if isinstance(values[name], list) else [values[name]]
            words += [f'--{name.replace("_", "-")}', *map(str, value)]
    if options.bgr is not None:
        words.append('--bgr' if options.bgr else '--no-bgr')
    return shlex.join([*words, '--data', 'DIRECTORY'])


def _write(target: Path, tables: dict[str, Table]) -> None:
    """Show `tables` by their titles, or write them to `target` as Markdown."""
    if target == SCREEN:
        for title, table in tables.items():
            print('\n'.join([title, '', *aligned(table), '']))
        return
    text = '\n\n'.join(f'## {title}\n\n{markdown(table)}' for title, table in tables.items())
    target.write_text(f'# Conversion\n\n{text}\n', encoding='utf-8')


if __name__ == '__main__':
    sys.exit(main())
