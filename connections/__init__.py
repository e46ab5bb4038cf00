"""Connections: thin adapters between a session and the microphone, the network or a file."""
