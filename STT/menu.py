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
        "none",
        "no recognizer: the language model hears",
        "STT.none:NoRecognizer",
        languages="as the model",
        remarks="interrupted by the length of what is said, since there are no words",
    ),
    EngineRow(
        "stt",
        "openai",
        "any server that speaks the OpenAI transcription protocol",
        "STT.openai_transcription:OpenAIRecognizer",
        "arguments_classes.openai_transcription_arguments:OpenAITranscriptionArguments",
        needs=("openai",),
        devices=("remote",),
        languages="as the model",
        licence="Apache-2.0; as the model",
        tested="a server in the tests",
    ),
)
