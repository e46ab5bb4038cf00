"""The synthesizers that there are."""

from pipeline.registry import EngineRow

MENU = (
    EngineRow(
        "tts",
        "espeak",
        "a robot in a hundred languages, built in",
        "TTS.espeak:EspeakSynthesizer",
        "arguments_classes.espeak_arguments:EspeakArguments",
        needs=("espeakng_loader",),
        languages="over 100",
        size="built in",
        licence="GPL-3; GPL-3",
        tested="real weights",
    ),
)
