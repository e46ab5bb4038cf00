"""Voices by name, and languages: the errors for those that a synthesizer does not have."""

import contextlib
import difflib
from collections.abc import Iterable, Iterator, Sequence

from pipeline.errors import EngineError, UserError
from pipeline.messages import Notice

NAMED = 8
"""Voices that an error lists; if there are more: the usual one, those most like the name asked for, and
the first by name."""

_ALIKE = 0.6
"""Similarity from which a voice may be meant."""

MAX_NAME = 100
"""Characters of a name that are compared with the known names; more would only take time."""


def unknown_voice(voices: Sequence[str], voice: str, usual: str | None = None) -> EngineError:
    """The error of a synthesizer with these voices that is asked for another. `usual`: the one that
    speaks if none is chosen."""
    named = list(voices)
    if len(named) > NAMED:
        near = difflib.get_close_matches(voice[:MAX_NAME], voices, NAMED, cutoff=_ALIKE)
        known = [usual] if usual is not None and usual in voices else []
        named = list(dict.fromkeys([*known, *near, *sorted(voices)]))[:NAMED]
    others = len(voices) - len(named)
    listed = ", ".join(named) + (f" and {others} others" if others else "")
    expected = f"one of the voices {listed}" if named else "no voice to be chosen, as there is only one"
    return EngineError(f"expected {expected}, got {voice!r:.100}", code="unknown_voice")


def expect_known(voices: Sequence[str], voice: str, usual: str | None = None) -> None:
    """Raise `EngineError` unless the synthesizer has the voice. `usual` as in `unknown_voice`."""
    if voice not in voices:
        raise unknown_voice(voices, voice, usual)


def own_voice(engine: str, voice: str) -> Notice:
    """The notice that an engine does not have the voice and speaks with its own instead."""
    return Notice("voice_fallback", f"{engine} has no voice {voice!r:.100}; it speaks with its own")


@contextlib.contextmanager
def voice_flag() -> Iterator[None]:
    """Turn an `EngineError` about a voice into a `UserError` about the flag `--tts_voice`."""
    try:
        yield
    except EngineError as error:
        raise UserError(f"--tts_voice: {error}") from error


def expect_language(languages: Iterable[str], language: str) -> None:
    """Raise `UserError` unless `--tts_language` names one of these."""
    known = list(languages)
    if language not in known:
        raise UserError(f"--tts_language: expected one of {', '.join(known)}, got {language!r}")
