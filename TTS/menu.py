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
    EngineRow(
        "tts",
        "parler",
        "a voice as you describe it, in words",
        "TTS.parler:ParlerSynthesizer",
        "arguments_classes.parler_arguments:ParlerArguments",
        environment="parler",
        long_in_python=True,
        devices=("cuda", "mps", "cpu"),
        languages="by model: English; 8 of Europe; 18 of India",
        streams="audio, in pieces of 1 s",
        licence="Apache-2.0; Apache-2.0",
        tested="tiny random weights",
    ),
)
