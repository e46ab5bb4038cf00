"""Engines in processes of their own: for packages that conflict, and for audio in time."""
