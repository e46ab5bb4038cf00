"""Voices, by their names, and languages: what is said of those that a synthesizer has not."""

import contextlib
import difflib
from collections.abc import Iterable, Iterator, Sequence

from pipeline.errors import EngineError, UserError

NAMED = 8
"""Voices that an error names; of more the ones that look like what was asked for."""

MAX_NAME = 100
"""Characters that are compared with the names there are; more would only take time."""


def unknown_voice(voices: Sequence[str], voice: str) -> EngineError:
    """What a synthesizer says that has these voices, and is asked for another."""
    named = list(voices)
    if len(named) > NAMED:
        named = difflib.get_close_matches(voice[:MAX_NAME], voices, NAMED, cutoff=0)
    others = len(voices) - len(named)
    listed = ", ".join(named) + (f" and {others} others" if others else "")
    expected = f"one of the voices {listed}" if named else "no voice to be chosen, there is but one"
    return EngineError(f"expected {expected}, got {voice!r:.100}", code="unknown_voice")


def expect_known(voices: Sequence[str], voice: str) -> None:
    """Raise that, unless it has the voice."""
    if voice not in voices:
        raise unknown_voice(voices, voice)


@contextlib.contextmanager
def voice_flag() -> Iterator[None]:
    """What is said of a voice within concerns the flag: an `EngineError` becomes a `UserError`."""
    try:
        yield
    except EngineError as error:
        raise UserError(f"--tts_voice: {error}") from error


def expect_language(languages: Iterable[str], language: str) -> None:
    """Raise `UserError` unless the language of the flag is one of these."""
    known = list(languages)
    if language not in known:
        raise UserError(f"--tts_language: expected one of {', '.join(known)}, got {language!r}")
