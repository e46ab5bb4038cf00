"""End-to-end engines: speech in, speech out."""
