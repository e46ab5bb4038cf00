"""Engines: loading them, and what wraps them."""
