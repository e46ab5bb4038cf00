"""Engines in processes of their own: for conflicting packages, and so that audio is never late."""
