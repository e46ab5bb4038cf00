"""Engines: loading them, and their wrappers."""
