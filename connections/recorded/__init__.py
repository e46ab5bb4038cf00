"""Recordings: files as input and output, recorded sessions and their replay."""
