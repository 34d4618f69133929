"""Settings of all tests."""

import os

# The networks here are so small, and other processes so many, that threads only wait.
os.environ.setdefault('OMP_NUM_THREADS', '1')
