"""The speech-to-speech engines that there are."""

from catalogue.registry import EngineSpec

CATALOGUE = (
    EngineSpec(
        "s2s",
        "tone",
        "TEST TONE: proves the audio path without a model",
        "S2S.tone:ToneResponder",
        languages="any",
        streams="frame by frame",
        licence="Apache-2.0; none",
        tested="real weights",
    ),
)
