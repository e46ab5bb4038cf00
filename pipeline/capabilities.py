"""Abilities: what the stages of a session can do."""

from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline.errors import EngineError
from pipeline.settings import EndpointerSettings


def _no_voices(voice: str) -> None:
    raise EngineError(f"expected no voice to be chosen, got {voice!r:.100}", code="unknown_voice")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """For those who would ask for it: a connection, the session itself."""

    texts: bool = False
    """They answer texts."""
    tools: bool = False
    """They can ask for functions of the client's."""
    frames: bool = False
    """They answer while the user is speaking, in the reply mode ``stream``."""
    voices: tuple[str, ...] = ()
    """What a person is offered to choose from; none: there is nothing to choose."""
    expect_voice: Callable[[str], None] = _no_voices
    """Raises `EngineError` where it is none of theirs; there may be more than are offered."""
    endpointing: EndpointerSettings = field(default_factory=EndpointerSettings)
    """How they listen unless a session wishes otherwise."""
    semantic: bool = False
    """They hear by what was said whether it is complete."""
    name: str = ""
    """The engines, for people."""
