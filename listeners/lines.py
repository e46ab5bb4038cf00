"""Lines: the conversation as plain text, line by line."""

import sys
from typing import TextIO

from listeners.listener import Listener
from pipeline.events import (
    AudioLost,
    ErrorEvent,
    Event,
    Interrupted,
    NoticeGiven,
    ReplyText,
    SessionEnded,
    Transcript,
    TurnDone,
)
from pipeline.latency import Latency
from pipeline.session import FINISHED, Session

LABEL_WIDTH = len("machine: ")
"""Width of the label in front of each line, which names the speaker."""


def describe_latency(latency: Latency) -> str:
    """Describe in one line the time from the end of the user's speech to the first audio."""
    parts = [
        ("silence", latency.silence_ms),
        ("STT", latency.stt_ms),
        ("LLM", latency.llm_ms),
        ("TTS", latency.tts_ms),
        ("S2S", latency.s2s_ms),
        ("rest", latency.rest_ms),
    ]
    named = " + ".join(f"{name} {value:.0f}" for name, value in parts if value is not None)
    return f"{latency.total_ms:.0f} ms to the first audio = {named}"


def describe(event: Event, *, with_text: bool) -> str | None:
    """Describe an event for a human reader; None for events that need no line."""
    match event:
        case Transcript(text=text) if with_text:
            return f"    you: {text}"
        case ReplyText(text=text) if with_text:
            return f"machine: {text.strip()}"
        case Interrupted(reason=reason):
            return f"         (interrupted: {reason})"
        case TurnDone(latency=Latency(total_ms=float()) as latency):
            return f"         {describe_latency(latency)}"
        case TurnDone(state="done", reason=reason) if reason != "complete":
            return f"         ({reason})"
        case ErrorEvent(text=text):
            return f"  error: {text}"
        case NoticeGiven(text=text):
            return f"   note: {text}"
        case AudioLost(samples=samples, reason=reason):
            return f"  error: {samples} microphone samples were lost: {reason}"
        case SessionEnded(reason=reason) if reason != FINISHED:
            return f"         (the session ended: {reason})"
    return None


class Lines(Listener):
    """Prints to standard output; `label` tells the sessions of a server apart."""

    def __init__(
        self, session: Session, label: str = "", *, with_text: bool = True, out: TextIO = sys.stdout
    ) -> None:
        self._prefix = f"[{label}] " if label else ""
        self._with_text = with_text
        self._out = out
        super().__init__(session)

    def on_event(self, event: Event) -> None:
        line = describe(event, with_text=self._with_text)
        if line is not None:
            print(self._prefix + line, file=self._out, flush=True)
