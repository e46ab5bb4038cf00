"""Voice activity: the beginning and end of the user's speech."""
