"""Models from and for other tools, in files of the Neuromorphic Intermediate Representation."""
