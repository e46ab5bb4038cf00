"""SessionFolder: a recorded session, to be replayed."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import soundfile

from pipeline.errors import EngineError, UserError
from pipeline.messages import ManualTurn
from pipeline.session import Session
from pipeline.settings import SessionSettings

AUDIO = "conversation.wav"
"""A stereo file: left is the user, right the program."""

EVENTS = "events.jsonl"
"""A header that describes the session, then a line for each event."""

Span = tuple[float, float]


class SessionFolder:
    """The files that `--record` wrote of one session; moments are samples of the microphone.

    Raises `UserError` if it is not such a folder. It may come from a stranger, with a bug report, so
    its contents are checked.
    """

    def __init__(self, path: Path) -> None:
        self.audio = path / AUDIO
        try:
            self._samples = soundfile.info(self.audio).frames
            header, *self._events = map(_object, (path / EVENTS).read_text("utf-8").splitlines())
            self.full_duplex = bool(header["full_duplex"])
            self.settings = SessionSettings().changed(header["settings"])
            self.reply_starts = [at for at, _ in self._named("ReplyStarted")]
            self.sounding = list(self._sounding())
            """Spans of samples in which a reply was heard."""
            self.deaf = list(self._deaf())
            """Spans of samples in which the microphone was ignored."""
            self.signals = [
                (at, ManualTurn(event["talk"])) for at, event in self._named("TalkSignalled")
            ]
            """Samples at which the user started, committed or cancelled a turn by hand."""
            self.end = next((at for at, _ in self._named("SessionEnded")), self._samples)
            """The end of the microphone's audio. After it, the file has silence beside the rest of the
            reply, which a replay would otherwise take for the user's."""
        except (
            OSError, ValueError, KeyError, TypeError, RecursionError, soundfile.LibsndfileError
        ) as error:  # fmt: skip
            raise UserError(
                f"--input {path}: expected a recording, or a folder that --record made of a session, "
                f"with {AUDIO} and {EVENTS} in it ({type(error).__name__}: {error})"
            ) from error

    def prepare(self, session: Session, rate_hz: int) -> None:
        """Make a session that begins now repeat the moments that vary from run to run: when replies
        began, when one was heard, and when the microphone was ignored."""
        began = session.now()

        def moments(spans: list[Span]) -> list[Span]:
            return [(began + start / rate_hz, began + end / rate_hz) for start, end in spans]

        try:
            session.change_settings(self.settings)
        except EngineError as error:  # recorded over another synthesizer, whose voice is not here
            session.report("tts", error)
            session.change_settings(replace(self.settings, voice=None))
        session.playout.begin_replies_at(began + start / rate_hz for start in self.reply_starts)
        session.gate.replay(moments(self.deaf))
        session.barge_in.replay(moments(self.sounding))

    def _named(self, *names: str) -> Iterator[tuple[int, dict[str, Any]]]:
        for event in self._events:
            if event["event"] in names:
                at = event["at_sample"]
                if type(at) is not int or not 0 <= at <= self._samples:
                    raise ValueError(f"expected at_sample from 0 to {self._samples}, got {at!r:.100}")
                yield at, event

    def _sounding(self) -> Iterator[Span]:
        ends = {event["turn"]: at for at, event in self._named("TurnDone")}
        for at, event in self._named("ReplyStarted"):
            yield at, ends.get(event["turn"], math.inf)

    def _deaf(self) -> Iterator[Span]:
        since: int | None = None
        for at, event in self._named("ListeningChanged"):
            if not event["listening"]:
                since = at
            elif since is not None:
                yield since, at
                since = None
        if since is not None:
            yield since, math.inf


def _object(line: str) -> dict[str, Any]:
    value = json.loads(line)
    if not isinstance(value, dict):
        raise TypeError(f"expected an object in each line, got a {type(value).__name__}")
    return value
