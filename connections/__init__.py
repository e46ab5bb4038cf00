"""Ways in and out: thin adapters between a session and the world."""
