"""Spiking neurons: each kind with its rate curve, its softened curve and its step in time."""

from __future__ import annotations

from snn_perception.neurons.base import Neuron, Softened, State
from snn_perception.neurons.integrate_and_fire import IF
from snn_perception.neurons.lif import LIF, AdaptiveLIF, as_lif
from snn_perception.neurons.theta import Theta

__all__ = [
    'IF',
    'LIF',
    'NEURON_TYPES',
    'AdaptiveLIF',
    'Neuron',
    'Softened',
    'State',
    'Theta',
    'as_lif',
]

NEURON_TYPES: dict[str, type[Neuron]] = {
    'lif': LIF,
    'adaptive_lif': AdaptiveLIF,
    'if': IF,
    'theta': Theta,
}
"""Kinds by their names in recipes and models."""
