"""Models from and for other tools, as files of the Neuromorphic Intermediate Representation."""
