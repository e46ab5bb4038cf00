"""Catalogue: the speech-to-speech engines."""

from catalogue.registry import EngineSpec

CATALOGUE = (
    EngineSpec(
        "s2s",
        "tone",
        "TEST TONE: checks the audio path without a model",
        "S2S.tone:ToneResponder",
        languages="any",
        streams="frame by frame",
        licence="Apache-2.0; none",
        tested="real weights",
    ),
)
