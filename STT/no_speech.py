"""Silence, told by the two numbers that Whisper gives beside its words."""

NO_SPEECH = 0.6
UNSURE = -1.0
"""Audio is silence if the model says so with this probability, and the words that it would say have this
mean log-probability or less (`no_speech_threshold` and `logprob_threshold` of openai/whisper)."""


def is_silence(no_speech: float, sureness: float) -> bool:
    """True if the words are invented, such as "Thanks for watching!", which Whisper writes for noise."""
    return no_speech > NO_SPEECH and sureness <= UNSURE
