"""Offline training of soft-LIF networks: the only place, beside an engine, that needs PyTorch."""
