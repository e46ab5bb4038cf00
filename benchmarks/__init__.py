"""Benchmarks: what the program costs. ``python -m benchmarks`` runs everything and prints the tables."""
