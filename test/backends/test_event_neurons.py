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

"""The neurons of the sparse engine, as compiled, against those of `neurons` in float64."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from compiled_neurons import CompiledNeurons
from hypothesis import given, settings
from hypothesis import strategies as st

from snn_perception.backends.event_neurons import CODES, code_of
from snn_perception.neurons import IF, LIF, NEURON_TYPES, AdaptiveLIF, Theta

DT = 0.001
KINDS = [LIF(), AdaptiveLIF(), IF(), IF(tau_ref=0.0), Theta()]
every_kind = pytest.mark.parametrize('neuron', KINDS, ids=repr)


def logarithmic(lowest, highest):
    return st.floats(np.log(lowest), np.log(highest)).map(lambda value: float(np.exp(value)))


# Times in steps, over all that `check` lets through.
MEMBRANE = logarithmic(0.5001, 9999).map(lambda steps: steps * DT)
SLOW = logarithmic(1.0001, 9999).map(lambda steps: steps * DT)
REFRACTORY = st.just(0.0) | logarithmic(0.01, 15).map(lambda steps: steps * DT)
NEURONS = {
    LIF: st.builds(LIF, MEMBRANE, REFRACTORY),
    AdaptiveLIF: st.builds(AdaptiveLIF, SLOW, REFRACTORY, SLOW, logarithmic(1e-4, 1)),
    IF: st.builds(IF, logarithmic(0.1, 9999).map(lambda steps: steps * DT), REFRACTORY),
    Theta: st.builds(Theta, logarithmic(0.1001, 9999).map(lambda steps: steps * DT)),
}


@pytest.mark.parametrize('kind', NEURONS)
@given(data=st.data(), seed=st.integers(0, 1000), width=st.sampled_from([16, 64]))
@settings(max_examples=25)
def test_compiled_neurons_spike_as_the_exact_ones_unless_a_spike_hangs_on_rounding(
    kind, data, seed, width
):
    neuron = data.draw(NEURONS[kind])
    drive, noise = data.draw(logarithmic(1, 1000)), data.draw(logarithmic(0.001, 1))
    random = np.random.default_rng(seed)
    base, compiled = random.uniform(-drive, drive, 64), CompiledNeurons(neuron, DT, 64, width)
    # Spikes do not hang on rounding if they come in the same step with a little more or less
    # current, and with all times a little shorter or longer. In a step little happens to a slow
    # membrane, and the same rounding is more of that.
    slow = getattr(neuron, 'tau_rc', 0) or neuron.tau
    little = 1e-5 + 1e-7 * slow / DT
    more_or_less = np.array([[1], [1 - little], [1 + little]])
    steps = {DT: neuron.rest((3, 64))}
    steps |= {DT * factor: neuron.rest((3, 64)) for factor in (1 - little, 1 + little)}
    is_sure = np.ones(64, bool)
    sure = spikes = 0
    for _ in range(250):
        current = (base + random.normal(0, noise * drive, 64)).astype(np.float32)
        fired = [neuron.step(current * more_or_less, state, dt) for dt, state in steps.items()]
        expected = fired[0][0]
        is_sure &= (np.concatenate(fired) == expected).all(axis=0)
        assert np.array_equal(compiled.step(current)[is_sure], expected[is_sure])
        sure, spikes = sure + expected[is_sure].sum(), spikes + expected.sum()
    assert np.isfinite(compiled.state).all()
    assert sure >= 0.3 * spikes - 20, f'{sure} of {spikes}'


@every_kind
@pytest.mark.parametrize('dt', [0.0005, 0.001, 0.002])
def test_compiled_neurons_spike_at_the_rate_of_the_curve(neuron, dt):
    # Near the rheobase an adaptation falls off between two spikes, and is no mean any more.
    current = neuron.rheobase + np.linspace(
        1.0 if isinstance(neuron, AdaptiveLIF) else 0.05, 8, 150
    )
    compiled, seconds = CompiledNeurons(neuron, dt, len(current)), 4
    for _ in range(round(1 / dt)):
        compiled.step(current)
    counts = sum(compiled.step(current).astype(int) for _ in range(round(seconds / dt)))
    error = np.abs(counts / seconds - neuron.rate(current))
    # One spike more or less in the time that was simulated; the adaptation ripples, too.
    ripple = 0.01 * neuron.rate(current) if isinstance(neuron, AdaptiveLIF) else 0
    assert np.all(error <= 1 / seconds + ripple)


@pytest.mark.parametrize('tau_n', [1.0, 0.1, 0.01, 0.002])
@pytest.mark.parametrize('tau_rc', [0.2, 0.02, 0.004, 0.002])
def test_an_adaptation_grows_at_the_time_of_the_spike_and_decays_exactly(tau_rc, tau_n):
    neuron, dt = AdaptiveLIF(tau_rc, 0.0007, tau_n, inc_n=0.05), 0.002
    current = np.linspace(0, 30, 200)
    compiled, state = CompiledNeurons(neuron, dt, 200), neuron.rest((200,))
    alike = np.ones(200, bool)
    for _ in range(50):
        alike &= compiled.step(current) == neuron.step(current, state, dt)
    seen = state[2] * -np.expm1(-dt / tau_n) * tau_n / dt  # the mean over a step
    assert alike.sum() > 190
    alike &= seen > 0
    assert alike.sum() > 100
    error = np.abs(compiled.state[2, :200] / np.where(alike, seen, 1) - 1)[alike]
    # The time of a spike is rounded to a part of tau_rc, which is more of a short tau_n. Where the
    # potential hardly gets beyond the threshold, the time is less certain still.
    assert np.quantile(error, 0.95) < 1e-5 + 1e-6 * tau_rc / tau_n


@every_kind
def test_without_a_current_compiled_neurons_stay_at_rest(neuron):
    compiled = CompiledNeurons(neuron, DT, 16)
    at_rest = compiled.state.copy()
    assert not any(compiled.step(np.zeros(16)).any() for _ in range(2000))
    after = compiled.state / np.abs(compiled.state).sum(axis=0)
    assert isinstance(neuron, LIF) or after == pytest.approx(at_rest, abs=1e-4)


@every_kind
@pytest.mark.parametrize('current', [1e9, -1e9])
def test_no_current_is_too_strong_for_compiled_neurons(neuron, current):
    if hasattr(neuron, 'tau_ref'):
        neuron = dataclasses.replace(neuron, tau_ref=0.0005)
    compiled, state = CompiledNeurons(neuron, DT, 16), neuron.rest((16,))
    for _ in range(50):
        expected = neuron.step(np.full(16, current), state, DT)
        assert np.array_equal(compiled.step(np.full(16, current)), expected)
    assert np.isfinite(compiled.state).all()
    # A neuron that was held down for long begins to fire as late as the exact one.
    late = [neuron.step(np.full(16, 5.0), state, DT)[0] for _ in range(50)]
    assert [compiled.step(np.full(16, 5.0))[0] for _ in range(50)] == late


def test_every_kind_of_neuron_has_code():
    assert set(CODES) == set(NEURON_TYPES.values())
    for neuron in KINDS:
        code = code_of(neuron, DT)
        assert len(code.resting(neuron, DT)) == code.states
        assert code.constants(neuron, DT).dtype == np.float32


@pytest.mark.parametrize(
    ('neuron', 'dt', 'sentence'),
    [
        (LIF(), 0.05, r'steps of at most 2 tau_rc, which is 0\.04 s here, not 0\.05 s'),
        (LIF(tau_rc=20.0), 0.001, r'steps of at least 0\.0001 tau_rc, which is 0\.002 s here'),
        (LIF(tau_ref=1.0), 0.001, r'refractory times of at most 40 tau_rc, which is 0\.8 s here'),
        (AdaptiveLIF(), 0.03, r'steps of at most 1 tau_rc, which is 0\.02 s here'),
        (AdaptiveLIF(tau_n=0.001), 0.002, r'steps of at most 1 tau_n, which is 0\.001 s here'),
        (IF(tau_ref=20.0), 0.001, r'refractory times of at most 10000 steps, which is 10 s here'),
        (Theta(), 0.1, r'steps of at most 10 tau, which is 0\.025 s here'),
    ],
)
def test_times_that_do_not_suit_float32_are_refused(neuron, dt, sentence):
    with pytest.raises(ValueError, match=sentence):
        code_of(neuron, dt)


def test_a_kind_of_neuron_without_code_is_refused():
    class Unknown(LIF):
        pass

    with pytest.raises(ValueError, match='of type lif, adaptive_lif, if, theta, not Unknown'):
        code_of(Unknown(), DT)
