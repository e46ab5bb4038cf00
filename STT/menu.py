"""The recognizers that there are."""

from pipeline.registry import EngineRow

MENU = (
    EngineRow(
        "stt",
        "moonshine",
        "small and fast; English built in",
        "STT.moonshine:MoonshineRecognizer",
        "arguments_classes.moonshine_arguments:MoonshineArguments",
        needs=("moonshine_voice",),
        languages="en (a model for each of 8 languages)",
        size="built in",
        licence="MIT; MIT for English, Moonshine Community for others",
        tested="real weights",
    ),
    EngineRow(
        "stt",
        "pocketsphinx",
        "English built in; for machines that Moonshine does not support",
        "STT.pocketsphinx:PocketsphinxRecognizer",
        "arguments_classes.pocketsphinx_arguments:PocketsphinxArguments",
        needs=("pocketsphinx",),
        extra="pocketsphinx",
        languages="en",
        size="built in",
        licence="BSD-2; BSD-2",
        tested="real weights",
    ),
    EngineRow(
        "stt",
        "parakeet",
        "fast and exact; English or 25 European languages",
        "STT.parakeet:ParakeetRecognizer",
        "arguments_classes.parakeet_arguments:ParakeetArguments",
        needs=("transformers", "torch"),
        extra="parakeet",
        long_in_python=True,
        devices=("cuda", "mps", "cpu"),
        languages="25 European (v3), or en",
        licence="Apache-2.0; CC-BY-4.0",
        tested="tiny random weights",
    ),
)
