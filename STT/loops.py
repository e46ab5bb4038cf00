"""Loops: phrases that a recognizer repeats endlessly, as some do for noise, a tone or half a word."""

import zlib

MAX_COMPRESSION = 2.4
"""Speech compresses less than this (`compression_ratio_threshold` of openai/whisper). "Beep" a hundred
times, which Whisper wrote for a tone, has a ratio of 28; the human utterances of the tests have at most
1.1, and "No" nine times has 2.3."""


def is_loop(text: str) -> bool:
    """True if the text repeats itself more than speech does."""
    encoded = text.encode()
    return len(encoded) > MAX_COMPRESSION * len(zlib.compress(encoded))
