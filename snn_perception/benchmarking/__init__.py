"""How fast an engine runs a model on this machine, alone and beside other libraries."""
