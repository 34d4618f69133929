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

"""Answers as messages of stock packages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from std_msgs.msg import Float64, String
from vision_msgs.msg import Classification, ObjectHypothesis

from snn_perception.decision import Decision
from snn_perception.nodes.answers.loaded_model import Answer, AnswerParameters
from snn_perception.nodes.diagnostics.verdict import Level

UNKNOWN = 'unknown'


def classification(
    header: Any, decision: Decision, labels: tuple[str, ...], max_hypotheses: int
) -> Classification:
    """The classes of `decision` with their scores, the best first, under the frame's `header`."""
    ranking = (-decision.scores).argsort(kind='stable')[:max_hypotheses]
    results = [
        ObjectHypothesis(class_id=labels[index], score=float(decision.scores[index]))
        for index in ranking
    ]
    return Classification(header=header, results=results)


def label(answer: Answer, parameters: AnswerParameters) -> String:
    """The best class, or 'unknown' if `parameters` say so.

    That is if its score is below `min_confidence`, and with `reject_unknown` if the frame is
    doubted or unlike all that the model was made for.
    """
    is_sure = answer.decision.score >= parameters.min_confidence
    is_unknown = parameters.reject_unknown and (answer.doubt or answer.decision.is_unknown)
    return String(data=answer.decision.label if is_sure and not is_unknown else UNKNOWN)


def number(value: float) -> Float64:
    """`value` as a message."""
    return Float64(data=float(value))


def statistics(
    name: str, answer: Answer, shown: str, times: Mapping[str, float]
) -> DiagnosticStatus:
    """What one answer took: bare numbers, their unit in the key.

    `shown` is the published label; `times`, in s, are published as `<name>_ms`. `view` counts
    from 1; it is 0 for the mean of several views.
    """
    decision = answer.decision
    activity = decision.activity
    values = {'label': shown, 'score': f'{decision.score:.6f}'}
    if decision.unknown_score is not None:
        values['unknown_score'] = f'{decision.unknown_score:.4f}'
    values |= {f'{key}_ms': f'{1e3 * seconds:.3f}' for key, seconds in times.items()}
    values |= {
        'view': str(0 if decision.view is None else decision.view + 1),
        'frozen': str(int(answer.is_frozen)),
        'stopped_by': decision.stopped_by,
        'simulated_time_ms': f'{1e3 * decision.simulated_time:.3f}',
        'spikes': str(int(activity.spikes.sum())),
        'synaptic_operations': str(int(activity.synaptic_operations.sum())),
        'neuron_updates': str(int(activity.neuron_updates.sum())),
        'firing_rate_hz': f'{decision.firing_rate:.4f}',
    }
    values |= {f'energy_{chip}_j': f'{joules:.6e}' for chip, joules in answer.energies.items()}
    power = answer.power
    values |= {'host_power_w': f'{power.watts:.3f}', 'host_power_source': power.source}
    return status(name, answer.engine, Level.OK, shown, values)


def status(
    name: str, hardware: str, level: Level, message: str, values: Mapping[str, str]
) -> DiagnosticStatus:
    """A status with its values, in their order."""
    return DiagnosticStatus(
        level=bytes([level]),
        name=name,
        message=message,
        hardware_id=hardware,
        values=[KeyValue(key=key, value=value) for key, value in values.items()],
    )
