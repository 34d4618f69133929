"""Loihi chips, emulated: where a network goes on their cores, and what it answers there."""
