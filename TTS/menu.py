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
        "openai",
        "any server that speaks the OpenAI speech protocol",
        "TTS.openai_speech:OpenAISynthesizer",
        "arguments_classes.openai_speech_arguments:OpenAISpeechArguments",
        needs=("openai",),
        devices=("remote",),
        languages="as the model",
        streams="audio in mid-sentence",
        licence="Apache-2.0; as the model",
        tested="a server in the tests",
    ),
)
