"""Engines on real weights: `make test-real`."""
