"""Listeners report the events of a session: to the terminal, as JSON lines, to metrics and the log."""
