"""Capabilities: the features that the engines of a session offer."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pipeline.description import Description
from pipeline.errors import EngineError
from pipeline.settings import EndpointerSettings
from pipeline.shared_engine import SharedEngine
from pipeline.sound_check import SoundSource


def _no_voices(voice: str) -> None:
    raise EngineError(f"expected no voice to be chosen, got {voice!r:.100}", code="unknown_voice")


@dataclass
class Capabilities:
    """Features of the engines of a session, for the connection and the session itself.

    All sessions over the same engines share one such object, which changes when an engine is replaced.
    """

    texts: bool = False
    """Can answer typed text."""
    reads_aloud: bool = False
    """Can speak a given text."""
    tools: bool = False
    """Can call functions of the client."""
    frames: bool = False
    """Can answer while the user is still speaking, in the reply mode ``stream``."""
    live: bool = False
    """Listens in real time only, so recordings are fed in real time."""
    duplex: bool = False
    """Listens while it speaks, so the model takes turns itself."""
    free_places: Callable[[], float] = lambda: math.inf
    """The number of further conversations for which there is room; infinity: there is no limit."""
    voices: tuple[str, ...] = ()
    """Voices offered to the user; empty if there is no choice."""
    expect_voice: Callable[[str], None] = _no_voices
    """Raises `EngineError` for an unknown voice; more voices may be known than are offered."""
    endpointing: EndpointerSettings = field(default_factory=EndpointerSettings)
    """Default of the session's endpointing."""
    semantic: bool = False
    """Has a turn detector, which judges from the speech itself whether the turn is complete."""
    name: str = ""
    """Names of the engines, for display."""
    describe: Callable[[], Description] = Description
    """Describes the engines as they are now."""
    recognizer: SharedEngine[Any] | None = None
    """A `Recognizer`, for calls outside conversations; None: the model hears the user itself."""
    detector: Any = None
    """The `VoiceDetector` that cuts speech for it."""
    synthesizer: SharedEngine[Any] | None = None
    """A `Synthesizer`, for calls outside conversations; None: the model speaks itself."""
    sound_source: SoundSource | None = None
    """The engine that makes the audio, and how it is checked."""

    def become(self, other: "Capabilities") -> None:
        """Take all values of `other` at once, since other threads read them: an engine was replaced."""
        self.__dict__ = other.__dict__.copy()
