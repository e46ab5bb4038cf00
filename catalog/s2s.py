"""Catalog: the speech-to-speech engines."""

from catalog.registry import EngineSpec

CATALOG = (
    EngineSpec(
        "s2s",
        "tone",
        "TEST TONE: checks the audio path without a model",
        "S2S.tone:ToneResponder",
        languages="any",
        streams="while you speak, with `--reply_mode stream`",
        license="Apache-2.0; none",
        tested="real weights",
    ),
)
