"""Emulated Loihi chips: how a network is placed on their cores, and what it answers there."""
