"""SpokenLanguage: the language a recognizer listens for, and the handling of one that it detects."""

from collections.abc import Sequence

from pipeline.errors import UserError
from pipeline.language import DETECTED, english_name, is_detected, plain
from pipeline.messages import Notice

AUTO = "auto"
ALL = "all"

USUAL = "en fr es zh ja ko hi de pt pl it nl te"
"""Languages among which the detection chooses, so that a cough is not taken for Welsh."""


class SpokenLanguage:
    """The language settings of a recognizer. `language` is a code or "auto"; `listened_for` are codes
    separated by spaces, or "all"; `known` are the languages of the model. Raises `UserError` for any
    other."""

    def __init__(self, language: str, listened_for: str, known: Sequence[str]) -> None:
        detects = len(known) > 1
        if language != AUTO:
            self._fixed: str | None = language
        else:
            self._fixed = None if detects else known[0]
        if self._fixed is not None and self._fixed not in known:
            raise UserError(
                f"--stt_language: expected auto or a language of this model, got {language}; "
                f"it knows {_shortened(known)}"
            )
        wanted = known if listened_for == ALL or not detects else listened_for.split()
        if not wanted or not set(wanted) <= set(known):
            raise UserError(
                f"--stt_languages: expected all, or languages of this model separated by spaces, got "
                f"{listened_for!r}; it knows {_shortened(known)}"
            )
        self._listened_for = tuple(wanted)
        self._only = None if detects else known[0]

    def told(self, language: str | None) -> str | None:
        """The language in which this call is spoken; None: it is to be detected."""
        if language is None:
            return self._fixed
        return self._only if is_detected(language) else language

    def settle(self, detected: str, language: str | None) -> tuple[str, tuple[Notice, ...]]:
        """The language in which to recognize a call that sounded like `detected` and was made with
        `language`: if the detected one is not among the languages listened for, the last one of the
        conversation."""
        if detected in self._listened_for:
            return detected, ()
        fallback = plain(language) if language is not None else self._listened_for[0]
        text = (
            f"it sounded like {english_name(detected)}, which is not listened for; it was taken for "
            f"{english_name(fallback)}"
        )
        return fallback, (Notice("language_fallback", text),)


def as_detected(code: str) -> str:
    """The value of `Transcription.language` for a detected language."""
    return code + DETECTED


def from_whisper(code: str) -> str:
    """The ISO 639-1 code of a language of Whisper, which writes Javanese as it was written until
    2001."""
    return "jv" if code == "jw" else code


def to_whisper(code: str) -> str:
    """Whisper's spelling of an ISO 639-1 code."""
    return "jw" if code == "jv" else code


def _shortened(known: Sequence[str]) -> str:
    return ", ".join(known) if len(known) <= 20 else f"{', '.join(known[:20])} and more"
