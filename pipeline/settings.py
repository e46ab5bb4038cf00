"""SessionSettings: what one conversation wants, and may change between turns."""

import typing
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal


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

    def changed(self, changes: Mapping[str, Any]) -> "SessionSettings":
        """With these changes, as they come from outside. Raises `ValueError`: expected X, got Y."""
        wanted = typing.get_type_hints(SessionSettings)
        for name, value in changes.items():
            if name not in wanted:
                raise ValueError(f"expected a setting of {', '.join(wanted)}, got {name!r:.100}")
            choices = typing.get_args(wanted[name]) or (wanted[name],)
            if not any(value == c if isinstance(c, str) else type(value) is c for c in choices):
                raise ValueError(f"{name}: expected {_in_words(choices)}, got {value!r:.100}")
        return replace(self, **changes)


def _in_words(choices: tuple[Any, ...]) -> str:
    names = {str: "a text", bool: "true or false", type(None): "null"}
    return " or ".join(names.get(choice, str(choice)) for choice in choices)
