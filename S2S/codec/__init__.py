"""Neural audio codecs: audio ▶ codes ▶ audio, whole or streamed."""
