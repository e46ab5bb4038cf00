"""Abilities: what the stages of a session can do."""

from dataclasses import dataclass, field

from pipeline.settings import EndpointerSettings


@dataclass(frozen=True, slots=True)
class Abilities:
    """For those who would ask for it: a connection, the session itself."""

    texts: bool = False
    """They answer texts."""
    tools: bool = False
    """They can ask for functions of the client's."""
    frames: bool = False
    """They answer while the user is speaking, in the reply mode ``stream``."""
    voices: tuple[str, ...] = ()
    """Among which a session may choose; none: there is nothing to choose."""
    endpointing: EndpointerSettings = field(default_factory=EndpointerSettings)
    """How they listen unless a session wishes otherwise."""
    semantic: bool = False
    """They hear by what was said whether it is complete."""
    name: str = ""
    """The engines, for people."""
