"""Command line tools, thin over the other modules."""
