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
        "kokoro",
        "small and natural, 54 voices in nine languages",
        "TTS.kokoro:KokoroSynthesizer",
        "arguments_classes.kokoro_arguments:KokoroArguments",
        needs=("kokoro",),
        extra="kokoro",
        devices=("cuda", "mps", "cpu"),
        languages="en, es, fr, hi, it, ja, pt, zh",
        size="327 MB",
        licence="Apache-2.0; Apache-2.0",
        tested="tiny random weights",
        remarks="for English type: python -m spacy download en_core_web_sm; for Japanese and Chinese: "
        "pip install 'misaki[ja]' 'misaki[zh]'; on Apple's GPUs set PYTORCH_ENABLE_MPS_FALLBACK=1",
    ),
    EngineRow(
        "tts",
        "mms",
        "a small voice for each of 73 languages, such as Telugu",
        "TTS.mms:MmsSynthesizer",
        "arguments_classes.mms_arguments:MmsArguments",
        needs=("torch",),
        extra="mms",
        devices=("cuda", "mps", "cpu"),
        languages="73, a model for each",
        size="145 MB a language",
        licence="Apache-2.0 (Transformers); CC-BY-NC-4.0",
        tested="tiny random weights",
        remarks="most of its models leave out digits",
    ),
)
