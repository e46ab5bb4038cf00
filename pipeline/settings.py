"""SessionSettings: the settings of one conversation, which may change between turns."""

import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from pipeline.language import is_language

Patience: TypeAlias = Literal["quick", "normal", "slow"]
"""The wait for a user who pauses, before the program answers."""

QUICK_MS, SLOW_MS = 300.0, 2000.0
"""The silence that ends a turn for quick and slow patience; for normal patience it is the operator's
(500 ms). A user who has clearly finished is answered sooner, and one who probably has not gets up to
twice the silence."""


@dataclass(frozen=True, slots=True)
class EndpointerSettings:
    """Rules for the beginning and end of speech, under the usual names.

    The defaults are explained in arguments_classes/vad_arguments.py.
    """

    thresh: float = 0.3
    min_silence_ms: float = 500
    min_speech_ms: float = 200
    max_speech_ms: float = math.inf
    speech_pad_ms: float = 100
    speculate: bool = True
    """Start to work at a short pause, before the utterance counts as over."""
    semantic: bool = True
    """Ask the turn detector, if there is one; else the length of a pause decides."""
    turn_threshold: float = 0.85
    """Probability of a complete turn, as the turn detector judges it, that ends the turn early."""

    def with_patience(self, patience: Patience) -> "EndpointerSettings":
        """The settings for a user who wants this patience. The operator's own silence counts where it
        goes further."""
        silence_ms = {
            "quick": min(self.min_silence_ms, QUICK_MS),
            "normal": self.min_silence_ms,
            "slow": max(self.min_silence_ms, SLOW_MS),
        }[patience]
        return replace(self, min_silence_ms=silence_ms)


@dataclass(frozen=True, slots=True)
class Tool:
    """A function of the client that the model may call."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON schema of its arguments."""


ANY_TOOL, NO_TOOL, SOME_TOOL = "auto", "none", "required"
"""Tool choices: the model decides, may call none, or must call one. The name of a tool: that one."""


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Settings of one session. A turn keeps those with which it began.

    None: as the engine is configured.
    """

    voice: str | None = None
    """A voice of the synthesizer, by its name there."""

    language: str | None = None
    """ISO 639-1 code, for example ``"te"``; None: as the recognizer reports."""

    instructions: str | None = None
    """The system prompt of the language model."""

    hands_free: bool = True
    """Speech and pauses begin and end a turn; else `Session.start_speech` and `commit_speech` do."""

    reply_mode: Literal["turn", "stream"] = "turn"
    """``turn``: answer when the user has finished, and stop when the user speaks. ``stream``: answer
    phrase by phrase, or frame by frame, while the user speaks on."""

    patience: Patience = "normal"
    """The length of the pause that ends a turn: of `endpointing`, or shorter, or longer."""

    endpointing: EndpointerSettings | None = None

    answers: bool = True
    """Answer each utterance; if False, it is recognized and remembered, and answered by a later
    `Session.respond`."""

    interruptible: bool = True
    """The user's voice stops the reply."""

    spoken: bool = True
    """The reply is spoken; if False, it is text only."""

    apologizes: bool = True
    """A spoken sentence tells of an answer that failed."""

    tools: tuple[Tool, ...] = ()
    tool_choice: str = ANY_TOOL

    def plain(self) -> dict[str, Any]:
        """The settings that a client may change, by name."""
        return {name: getattr(self, name) for name in _FROM_OUTSIDE}

    def changed(self, changes: Mapping[str, Any]) -> "SessionSettings":
        """Return the settings with the changes of a client. Raises `ValueError`: expected X, got Y."""
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


_FROM_OUTSIDE = ("voice", "language", "instructions", "hands_free", "reply_mode", "patience")


def _in_words(choices: tuple[Any, ...]) -> str:
    names = {str: "a text", bool: "true or false", type(None): "null"}
    return " or ".join(names.get(choice, str(choice)) for choice in choices)
