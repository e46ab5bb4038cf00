"""Helpers that belong to no stage."""
