"""Offline training of soft-LIF networks, in firing rates and on spikes."""
