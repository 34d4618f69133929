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

"""What a conversion did and where accuracy went, as tables for a screen and for a card."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from snn_perception.evaluation.agreement import layer_name
from snn_perception.interchange.analog import Analog, Fate
from snn_perception.network import Network
from snn_perception.reporting.tables import Table
from snn_perception.sentences import shortened
from snn_perception.training.conversion_recipe import Conversion
from snn_perception.training.conversion_stages import StageFindings
from snn_perception.turns import steps_of

LONGEST_NAME = 60
"""Letters of the name of a node in a table."""


def network_table(analog: Analog, conversion: Conversion) -> Table:
    """A head, then a row for each thing to know about a network and its conversion."""
    network = analog.network
    steps = steps_of(conversion.firing_window, conversion.dt)
    mean, deviation = conversion.input.mean or analog.mean, conversion.input.deviation
    deviation = deviation or analog.deviation
    rows = (
        ('input', 'x'.join(map(str, analog.input_shape))),
        ('mean of pixels', _numbers(mean)),
        ('deviation of pixels', _numbers(deviation)),
        ('outputs', f'{network.classes}'),
        ('layers', f'{len(network.populations)}'),
        ('neurons', f'{network.neurons:,}'),
        ('multiply-accumulates of one pass', f'{network.macs:,}'),
        ('spikes of a neuron', f'0 to {steps} in {1000 * conversion.firing_window:g} ms'),
        ('answers after', f'{1000 * network.turns[-1] * conversion.firing_window:g} ms'),
    )
    return [('network', ''), *rows]


def _numbers(values: tuple[float, ...] | None) -> str:
    return 'not in the file' if values is None else ', '.join(f'{value:g}' for value in values)


def node_table(fates: Sequence[Fate]) -> Table:
    """A head, then a row for each node of the file with what became of it."""
    rows = [(str(fate.number), _name(fate.name), fate.operator, fate.outcome) for fate in fates]
    return [('node', 'name', 'operator', 'what became of it'), *rows]


def _name(name: str) -> str:
    """The first name of a node that has several with semicolons in between, fit for a table."""
    return shortened(' '.join(name.partition(';')[0].replace('|', '/').split()), LONGEST_NAME)


def stage_table(findings: Sequence[StageFindings]) -> Table:
    """A head, then a row for the original and each stage, on validation images."""
    head = (
        *('stage', 'images', 'right', 'among five', 'same answer as the original'),
        *('right in rates', 'same in rates', 'operations per MAC', 'time'),
    )
    return [head, *(_stage(each) for each in _with_unseen(findings))]


def _with_unseen(findings: Sequence[StageFindings]) -> Iterator[StageFindings]:
    for each in findings:
        yield each
        if each.unseen is not None:
            yield each.unseen


def _stage(found: StageFindings) -> tuple[str, ...]:
    images = str(found.images)
    if 0 < found.labelled < found.images:
        images += f', classes known of {found.labelled}'
    operations = found.operations_per_mac
    return (
        found.name,
        images,
        percent(found.accuracy),
        percent(found.top5_accuracy),
        percent(found.agreement),
        percent(found.rate_accuracy),
        percent(found.rate_agreement),
        '-' if math.isnan(operations) else f'{operations:.2f}',
        f'{found.seconds / 60:.0f} min' if found.seconds else '-',
    )


def layer_table(network: Network, findings: Sequence[StageFindings]) -> Table:
    """A head, then a row for each layer of neurons: its error after each stage, and its spikes.

    An error is the mean square of what activations are off by, as a share of the mean square of
    the original's; spikes are means per neuron and image, after the last stage.
    """
    stages = findings[1:]
    head = ('layer', 'neurons', *(f'error {each.name}' for each in stages), 'spikes per neuron')
    hidden = [population for population in network.populations if not population.is_readout]
    rows = [
        (
            layer_name(network, number),
            f'{population.neurons}',
            *(percent(each.errors[number]) for each in stages),
            f'{stages[-1].spikes[number]:.2f}',
        )
        for number, population in enumerate(hidden)
    ]
    return [head, *rows]


def percent(share: float) -> str:
    """`share` in percent, and '-' for one that is not known."""
    return '-' if math.isnan(share) else f'{100 * share:.1f} %'
