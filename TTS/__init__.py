"""Text to speech: from the sentences of the answer to audio."""
