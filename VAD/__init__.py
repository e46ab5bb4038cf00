"""Voice activity: when the user begins and ends to speak."""
