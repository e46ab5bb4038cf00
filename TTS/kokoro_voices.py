"""The voices of Kokoro: their languages, and the usual one of each. VOICES.md of hexgrad/Kokoro-82M
explains the names."""

from collections.abc import Iterable

LANGUAGES = {
    "a": "en", "b": "en", "e": "es", "f": "fr", "h": "hi", "i": "it", "j": "ja", "p": "pt", "z": "zh",
}  # fmt: skip
"""The first letter of a voice ▶ its language; "a" is American, "b" British English."""

_USUAL = {"en": "af_heart", "zh": "zf_xiaobei"}
"""Usual voices that are not the first of their language; graded best, or as good as any, in
VOICES.md."""


def usual_voice(names: Iterable[str], language: str) -> str:
    """The usual one of these voices for a language; the language itself if there is none."""
    voices = [name for name in names if LANGUAGES[name[0]] == language]
    usual = _USUAL.get(language)
    return usual if usual in voices else (voices or [language])[0]
