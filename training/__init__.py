"""Training: makes the weights of small models from sounds that are generated or read at run time."""
