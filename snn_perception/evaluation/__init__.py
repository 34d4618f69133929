"""Measuring a model on a data set: accuracy, trajectories, agreement, damage, chips."""
