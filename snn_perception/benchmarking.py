"""How fast an engine runs a model on this machine: frames, batches, starts and scaling."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from snn_perception.backends import Simulator, create_simulator
from snn_perception.model import Model

RATES = (10, 25, 50, 100, 250)
"""Firing rates (Hz) of the scaling."""

BATCH = 32
WARM_UP = 3


def measure_frames(simulator: Simulator, images: NDArray[np.float32], frames: int) -> dict:
    """Times of `frames` decisions one after the other, cycling through prepared `images`.

    `real_time_factor` is simulated over real time: above 1 the engine keeps up with a chip.
    """
    times, decisions = [], []
    for index in range(frames + WARM_UP):
        image = images[index % len(images)][None]
        started = time.perf_counter()
        (decision,) = simulator.classify_batch(image)
        times.append(time.perf_counter() - started)
        decisions.append(decision)
    seconds, decisions = np.array(times[WARM_UP:]), decisions[WARM_UP:]
    operations = sum(int(d.activity.synaptic_operations.sum()) for d in decisions)
    return {
        'ms_per_frame_median': 1000 * float(np.median(seconds)),
        'ms_per_frame_p99': 1000 * float(np.percentile(seconds, 99)),
        'real_time_factor': sum(d.simulated_time for d in decisions) / float(seconds.sum()),
        'synaptic_operations_per_s': operations / float(seconds.sum()),
        'synaptic_operations': operations / frames,
        'firing_rate_hz': float(np.mean([d.firing_rate for d in decisions])),
        'simulated_time_s': float(np.mean([d.simulated_time for d in decisions])),
    }


def frames_per_second(simulator: Simulator, images: NDArray[np.float32], batches: int) -> float:
    """Decisions per second on batches of BATCH images; the median over `batches`."""
    batch = np.resize(images, (BATCH, *images.shape[1:]))
    simulator.classify_batch(batch)
    times = []
    for _ in range(batches):
        started = time.perf_counter()
        simulator.classify_batch(batch)
        times.append(time.perf_counter() - started)
    return BATCH / float(np.median(times))


def at_rate(model: Model, rate: float, seed: int = 0) -> Model:
    """`model` with weights of zero and biases that make its neurons fire at about `rate` Hz.

    Adding zeros takes as long as adding other numbers, so what this costs is what the network
    would cost at that rate. The biases differ by a tenth, so that neurons do not keep time.
    """
    neuron = model.network.neuron
    interval = (1 / rate - neuron.tau_ref) / neuron.tau_rc
    current = 1 / -np.expm1(-interval)
    random = np.random.default_rng(seed)
    weights = []
    for weight in model.weights:
        spread = random.uniform(0.95, 1.05, weight.bias.shape)
        bias = 1 + (current - 1) * spread
        zero = np.zeros_like(weight.kernel)
        weights.append(replace(weight, kernel=zero, bias=bias.astype(np.float32)))
    return replace(model, weights=tuple(weights))


def scaling(
    model: Model, images: NDArray[np.float32], frames: int, backend: str, **options: Any
) -> dict[str, dict[str, float]]:
    """Median milliseconds per frame by firing rate (Hz), and by threads if there is a choice."""
    by_rate = {}
    for rate in RATES:
        simulator = create_simulator(at_rate(model, rate), backend, **options)
        by_rate[str(rate)] = measure_frames(simulator, images, frames)['ms_per_frame_median']
    result = {'ms_by_rate_hz': by_rate}
    if 'threads' in simulator.options:
        choices = range(1, (os.cpu_count() or 1) + 1)
        result['ms_by_threads'] = {
            str(threads): measure_frames(
                create_simulator(model, backend, **{**options, 'threads': threads}), images, frames
            )['ms_per_frame_median']
            for threads in choices
        }
    return result


def start(
    model: Model, images: NDArray[np.float32], backend: str, device: str, **options: Any
) -> dict:
    """Seconds from nothing but a loaded model to the first decision, and memory after it."""
    started = time.perf_counter()
    create_simulator(model, backend, device, **options).classify_batch(images[:1])
    seconds = time.perf_counter() - started
    kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {'seconds': seconds, 'memory_mb': kibibytes * 1024 / 1e6}


def measure_starts(arguments: list[str]) -> dict[str, float]:
    """Cold and warm start, and memory, of `benchmark ARGUMENTS` in processes of their own.

    Cold means without any compiled code; warm with what the cold one left behind.
    """
    with tempfile.TemporaryDirectory() as cache:
        command = [sys.executable, '-m', 'snn_perception', 'benchmark', *arguments, '--start']
        environment = {**os.environ, 'NUMBA_CACHE_DIR': cache}
        cold, warm = (
            json.loads(
                subprocess.run(
                    command, env=environment, check=True, capture_output=True, text=True
                ).stdout
            )
            for _ in range(2)
        )
    return {
        'cold_start_s': cold['seconds'],
        'warm_start_s': warm['seconds'],
        'memory_mb': warm['memory_mb'],
    }


def save_picture(figures: dict[str, Any], path: Path) -> None:
    """The scaling as PNG."""
    panels = {'ms_by_rate_hz': 'mean firing rate (Hz)', 'ms_by_threads': 'threads'}
    shown = {key: title for key, title in panels.items() if key in figures}
    figure = Figure(figsize=(5 * len(shown), 3.4), layout='constrained')
    for axes, (key, title) in zip(
        figure.subplots(1, len(shown), squeeze=False)[0], shown.items(), strict=True
    ):
        values = figures[key]
        axes.plot([float(name) for name in values], list(values.values()), marker='o')
        axes.set(xlabel=title, ylabel='ms per frame', ylim=(0, None))
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
    figure.suptitle(f'{figures["model"]}, {figures["engine"]}')
    figure.savefig(path, dpi=110)
