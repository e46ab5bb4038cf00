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
    EngineSpec(
        "s2s",
        "seamless",
        "an interpreter: says what you say in another of 36 languages",
        "S2S.seamless:SeamlessResponder",
        "arguments_classes.seamless_arguments:SeamlessArguments",
        needs=("torch", "sentencepiece"),
        extra="seamless",
        features=("its words",),
        long_in_python=True,
        devices=("cuda", "mps", "cpu"),
        languages="hears about 100, speaks 36",
        streams="phrase by phrase while you speak, with `--reply_mode stream`",
        size="9.2 GB",
        license="Apache-2.0 (Transformers); CC-BY-NC-4.0",
        tested="tiny random weights",
        remarks="SeamlessM4T v2. It translates into `--s2s_target_language`, or the language of the "
        "session, and recognizes by itself which one is spoken. Nothing is heard before a phrase is "
        "translated as a whole; speech of over 20 s is translated in parts, of over ten minutes "
        "refused. 1.8 of its 2.3 billion weights are used, 3.6 GB on a GPU (computed)",
    ),
)
