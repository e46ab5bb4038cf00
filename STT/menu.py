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
        "whisper",
        "Whisper and Distil-Whisper of the Hugging Face hub, in this process",
        "STT.whisper:WhisperRecognizer",
        "arguments_classes.whisper_arguments:WhisperArguments",
        needs=("transformers", "torch"),
        extra="whisper",
        long_in_python=True,
        devices=("cuda", "mps", "cpu"),
        languages="as the model (the default: en; others: about 100)",
        size="1.5 GB",
        licence="Apache-2.0; as the model (the default: MIT)",
        tested="tiny random weights",
    ),
)
