"""Recordings: files in and out, recorded sessions and their replay."""
