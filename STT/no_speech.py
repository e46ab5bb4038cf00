"""Silence, recognized by the two numbers that Whisper gives along with its words."""

NO_SPEECH = 0.6
UNSURE = -1.0
"""Audio is silence if the model gives it this probability of silence, and its words this mean
log-probability or less (`no_speech_threshold` and `logprob_threshold` of openai/whisper)."""


def is_silence(no_speech: float, sureness: float) -> bool:
    """True if the words are invented, as the "Thanks for watching!" that Whisper writes for noise."""
    return no_speech > NO_SPEECH and sureness <= UNSURE
