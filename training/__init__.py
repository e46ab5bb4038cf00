"""Training: fits the few weights that the program carries, from recordings."""
