"""Loops: phrases that a recognizer repeats without end, as it may for noise, a tone or half a word."""

import zlib

MAX_COMPRESSION = 2.4
"""Speech compresses less than this (`compression_ratio_threshold` of openai/whisper). "Beep" a hundred
times, which Whisper wrote for a tone, has a ratio of 28; the human utterances of the tests have 1.1 at
most, and "No" nine times has 2.3."""


def is_loop(text: str) -> bool:
    """True if the text repeats itself more than speech does."""
    encoded = text.encode()
    return len(encoded) > MAX_COMPRESSION * len(zlib.compress(encoded))
