"""How fast an engine runs a model on this machine, by itself and compared with other libraries."""
