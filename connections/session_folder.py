"""SessionFolder: a conversation that was kept, to be replayed."""

import itertools
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.messages import Talk
from pipeline.settings import SessionSettings

AUDIO = "conversation.wav"
"""Left is the user, right is the program."""

EVENTS = "events.jsonl"
"""First what the session was like, then a line for each event."""


class SessionFolder:
    """What `--record` kept of one session. Raises `UserError` where it is no such folder."""

    def __init__(self, path: Path) -> None:
        self.audio = path / AUDIO
        try:
            lines = (path / EVENTS).read_text("utf-8").splitlines()
            header, *events = [json.loads(line) for line in lines]
            self.full_duplex = bool(header["full_duplex"])
            self.settings = SessionSettings(**header["settings"])
            self.events: list[dict[str, Any]] = events
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"--input {path}: expected a recording, or a folder that --record has made of a session "
                f"({type(error).__name__} in {EVENTS})"
            ) from error

    @property
    def reply_starts(self) -> list[int]:
        """With which sample of the microphone each reply began."""
        return [event["at_sample"] for event in self.events if event["event"] == "ReplyStarted"]

    @property
    def deaf(self) -> list[tuple[float, float]]:
        """Between which samples the microphone was not listened to."""
        changes = [event for event in self.events if event["event"] == "ListeningChanged"]
        starts = [event["at_sample"] for event in changes if not event["listening"]]
        ends = [event["at_sample"] for event in changes if event["listening"]]
        return list(itertools.zip_longest(starts, ends, fillvalue=math.inf))

    @property
    def signals(self) -> Iterator[tuple[int, Talk]]:
        """At which sample the user did what by hand."""
        for event in self.events:
            if event["event"] == "TalkSignalled":
                yield event["at_sample"], Talk(event["talk"])
