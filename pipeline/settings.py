"""SessionSettings: what one conversation wants, and may change between turns."""

import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pipeline.language import is_language


@dataclass(frozen=True, slots=True)
class EndpointerSettings:
    """When speech has begun and when it is over. The usual names; the defaults are explained in
    arguments_classes/vad_arguments.py."""

    thresh: float = 0.3
    min_silence_ms: float = 500
    min_speech_ms: float = 200
    max_speech_ms: float = math.inf
    speech_pad_ms: float = 100
    speculate: bool = True
    """Whether to begin to work on what may be over."""
    semantic: bool = True
    """Whether the turn detector is asked, where there is one; else the length of a pause decides."""
    turn_threshold: float = 0.85
    """How complete what was said must sound to it."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function of the client's that the model may ask for."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """What it takes, as a JSON schema."""


ANY_TOOL, NO_TOOL, SOME_TOOL = "auto", "none", "required"
"""Whether the model chooses, may call none, or has to call one; the name of a tool: that one."""


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """The wishes of one session. A turn keeps the settings with which it began.

    None means: as the engine was configured.
    """

    voice: str | None = None
    """A voice of the synthesizer, by its name there."""

    language: str | None = None
    """ISO 639-1 code, for example ``"te"``; None: as the recognizer says."""

    instructions: str | None = None
    """The system prompt of the language model."""

    hands_free: bool = True
    """Whether speech and pauses begin and end a turn; else only `Session.start_speech` and
    `commit_speech` do."""

    reply_mode: Literal["turn", "stream"] = "turn"
    """``turn``: answer when the user has finished, and stop when they speak. ``stream``: answer phrase
    by phrase, or frame by frame, while they speak on."""

    endpointing: EndpointerSettings | None = None

    answers: bool = True
    """Whether what the user says is answered by itself; else it is understood and remembered, and
    answered when `Session.respond` asks for it."""

    interruptible: bool = True
    """Whether the user's voice stops the answer."""

    spoken: bool = True
    """Whether the answer is spoken; else it is text only."""

    tools: tuple[Tool, ...] = ()
    tool_choice: str = ANY_TOOL

    def plain(self) -> dict[str, Any]:
        """Those that may come from outside, by their names."""
        return {name: getattr(self, name) for name in _FROM_OUTSIDE}

    def changed(self, changes: Mapping[str, Any]) -> "SessionSettings":
        """With these changes, as they come from outside. Raises `ValueError`: expected X, got Y."""
        hints = typing.get_type_hints(SessionSettings)
        wanted = {name: hints[name] for name in _FROM_OUTSIDE}
        for name, value in changes.items():
            if name not in wanted:
                raise ValueError(f"expected a setting of {', '.join(wanted)}, got {name!r:.100}")
            choices = typing.get_args(wanted[name]) or (wanted[name],)
            if not any(value == c if isinstance(c, str) else type(value) is c for c in choices):
                raise ValueError(f"{name}: expected {_in_words(choices)}, got {value!r:.100}")
            if name == "language" and value is not None and not is_language(value):
                raise ValueError(f"language: expected an ISO 639-1 code such as te, got {value!r:.100}")
        return replace(self, **changes)


_FROM_OUTSIDE = ("voice", "language", "instructions", "hands_free", "reply_mode")


def _in_words(choices: tuple[Any, ...]) -> str:
    names = {str: "a text", bool: "true or false", type(None): "null"}
    return " or ".join(names.get(choice, str(choice)) for choice in choices)
