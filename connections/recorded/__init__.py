"""Recordings: files in and out, kept sessions and their replay."""
