"""meant: the flags that the user may have meant by a name that is no engine of the stage."""

import difflib
import re
from collections.abc import Sequence

KOKORO_VOICE = r"[a-z][fm]_[a-z]+"
PIPER_VOICE = r"[a-z]{2}_[A-Z]{2}-.+"
"""Patterns of the names of voices."""

_MODELS = (
    ("stt", r"whisper-1|gpt-4o(-mini)?-transcribe", "--stt openai --stt_model_name"),
    ("stt", r"(tiny|base|small|medium|large|turbo)([.-].*)?", "--stt faster-whisper --stt_model_name"),
    ("stt", r".+/.*whisper.*", "--stt whisper --stt_model_name"),
    ("llm", r"(chat)?gpt.*|o[1-9].*", "--llm openai --llm_model_name"),
    ("llm", r".*\.gguf", "--llm llama-cpp --llm_model_name"),
    ("llm", r".+/.+", "--llm transformers --llm_model_name"),
    ("llm", r".+:.+|(llama|qwen|mistral|gemma|phi|deepseek).*", "--llm auto --llm_model_name"),
    ("tts", r"tts-1.*|gpt-.*-tts", "--tts openai --tts_model_name"),
    ("tts", KOKORO_VOICE, "--tts kokoro --tts_voice"),
    ("tts", PIPER_VOICE, "--tts piper --tts_voice"),
    ("s2s", r"gpt-realtime.*|gpt-4o.*realtime.*", "--s2s realtime --s2s_model_name"),
    ("s2s", r"gpt.*audio.*", "--s2s openai-audio --s2s_model_name"),
    ("s2s", r"moshik[oa]", "--s2s moshi --s2s_model_name"),
)
"""Patterns of the names of models and voices, by stage, and the flags in front of such a name."""


def meant(stage: str, name: str, stages_of: Sequence[str], names: Sequence[str]) -> str:
    """A question to add to the error about `name`, or "". `stages_of`: the stages that have an engine of
    that name; `names`: the engines of this stage."""
    flags = next(
        (
            f"{flags} {name}"
            for of, pattern, flags in _MODELS
            if of == stage and re.fullmatch(pattern, name)
        ),
        None,
    )
    flags = flags or " or ".join(f"--{other} {name}" for other in stages_of)
    if not flags and (near := difflib.get_close_matches(name.lower(), names, n=1)):
        flags = f"--{stage} {near[0]}"
    return f"; did you mean {flags}?" if flags else ""
