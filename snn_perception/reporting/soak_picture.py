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

"""The course of a soak as a picture: what the node used, and how fast it answered."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from snn_perception.reporting.style import ACCENT, RATES, SPIKES, WIDTH, finish, legend_above


def picture(course: dict[str, list[float]], figures: dict[str, Any]) -> Figure:
    """Memory, threads and file handles, and latency over the time of `course`, one below another.

    Times are in minutes. Vertical lines are failures; the title is the verdict of `figures`.
    """
    figure = Figure(figsize=(WIDTH, 6), layout='constrained')
    memory, counts, latency = figure.subplots(3, 1, sharex=True)
    memory.plot(course['minutes'], course['memory_mb'], color=SPIKES)
    memory.set(ylabel='memory (MB)', ylim=(0, None))
    counts.plot(course['minutes'], course['handles'], color=SPIKES, label='file handles')
    counts.plot(course['minutes'], course['threads'], color=RATES, linestyle='--', label='threads')
    counts.set(ylabel='count', ylim=(0, None))
    latency.plot(
        course['answered_minutes'],
        course['latency_ms'],
        color=SPIKES,
        linestyle='',
        marker='.',
        markersize=3,
    )
    latency.set(ylabel='stamp to label (ms)', yscale='log', xlabel='time (minutes)')
    latency.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    latency.yaxis.set_major_formatter('{x:g}')
    latency.yaxis.set_minor_formatter(NullFormatter())
    for axes in (memory, counts, latency):
        for index, minute in enumerate(course['failed_minutes']):
            name = 'failure' if not index and axes is counts else None
            axes.axvline(minute, color=ACCENT, linewidth=1, label=name)
        finish(axes)
    legend_above(counts)
    figure.suptitle(
        f'{figures["model"]}: {figures["faults"]} faults in {figures["minutes"]:.1f} minutes, '
        f'{figures["verdict"]}'
    )
    return figure
