"""What a model achieves, as pictures and a page: every figure from a run of the network."""
