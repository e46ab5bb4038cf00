"""SessionSettings: what one conversation wants, and may change between turns."""

from dataclasses import dataclass
from typing import Literal


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
