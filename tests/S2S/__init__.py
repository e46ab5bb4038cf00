"""End-to-end engines, and codecs."""
