"""What a decision would cost on a chip: an estimate from what was counted, never a measurement.

    energy = synaptic operations x E_operation + neuron updates x E_update + MACs x E_mac

The multiply-accumulates are those of the analog first layer, done once per image; they are
charged at 45 nm CMOS prices on every chip, because the neuromorphic ones have no such unit.
Left out: static power, memory traffic, routing between cores, and input and output.
"""

from __future__ import annotations

from dataclasses import dataclass

from snn_perception.backends.base import Decision


@dataclass(frozen=True)
class Chip:
    """Energy of each operation in J, with the publication that it is from."""

    operation: float
    update: float
    source: str


FP32_ADD = 0.9e-12
FP32_MAC = 4.6e-12
"""Addition, and multiplication with addition, of 32-bit floats in 45 nm CMOS (Horowitz 2014)."""

CHIPS = {
    'loihi': Chip(
        23.6e-12, 81e-12, 'Davies et al., "Loihi: A Neuromorphic Manycore Processor", 2018'
    ),
    'spinnaker': Chip(
        13.3e-9, 26e-9, 'Hoeppner et al., "Dynamic Power Management for SpiNNaker 2", 2019'
    ),
    'spinnaker2': Chip(
        450e-12, 2.19e-9, 'Hoeppner et al., "Dynamic Power Management for SpiNNaker 2", 2019'
    ),
    'cmos45': Chip(
        FP32_ADD, FP32_MAC, 'Horowitz, "Computing\'s Energy Problem", 2014; fp32, arithmetic only'
    ),
}
"""Chips by the name used in topics and files."""


def estimate(decision: Decision) -> dict[str, float]:
    """Estimated energy of `decision` in J on each of CHIPS."""
    operations = int(decision.activity.synaptic_operations.sum())
    updates = int(decision.activity.neuron_updates.sum())
    return {
        name: operations * chip.operation + updates * chip.update + decision.macs * FP32_MAC
        for name, chip in CHIPS.items()
    }
