"""Engines in processes of their own: for packages that fight each other, and for audio in time."""
