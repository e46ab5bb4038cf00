"""What it costs, measured. ``python -m benchmarks`` runs everything and prints the tables."""
