"""Narration: a conversation as lines of text for a human reader."""

import re
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from pipeline.events import (
    AudioLost,
    ErrorEvent,
    Event,
    FramesLate,
    Interrupted,
    NoticeGiven,
    ReplyStarted,
    ReplyText,
    SessionEnded,
    SpeechEnded,
    SpeechStarted,
    Transcript,
    TurnCommitted,
    TurnDone,
)
from pipeline.latency import Latency
from pipeline.session import FINISHED
from pipeline.turn import Origin

LABEL_WIDTH = len("machine: ")
"""Width of the label in front of each line, which names the speaker."""

MAX_PENDING_CHARS = 200
"""Length at which text without a full stop becomes a line."""

PAUSE_S = 2.0
"""Pause after which text without a full stop becomes a line."""

_FULL_STOP = re.compile(r"(?:[.!?…。！？।]['\"”’»)\]]*|\n)\s*$")


class Line(NamedTuple):
    """One line, and the style in which a terminal shows it."""

    text: str
    style: str = "dim"


class Narration:
    """Narrates the events of one session, in order. Pieces of a reply are joined into whole sentences.
    If an end-to-end engine writes no words of one side, the length of the speech stands in for them.

    `rate_hz` is the capture rate, in which events count samples. Without `with_text`, no words are
    shown.
    """

    def __init__(
        self, rate_hz: int, *, with_text: bool, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.pending = ""
        """The beginning of a sentence of the reply."""
        self._rate_hz = rate_hz
        self._with_text = with_text
        self._now = now
        self._told_at = 0.0
        self._began: int | None = None
        self._spoke_s: float | None = None
        self._unwritten: set[int] = set()
        """Turns in which the user spoke, and whose words are not known."""
        self._awaited: set[int] = set()
        """Turns being answered whose words may still come, since the engine has written the user's words
        before."""
        self._writes = False
        self._silent_reply: int | None = None
        """Turn whose reply has begun without text."""
        self._live: int | None = None
        """The open-ended turn of a full-duplex model."""

    def lines(self, event: Event) -> Iterator[Line]:
        """The lines that an event completes."""
        self._follow(event)
        if isinstance(event, ReplyText):
            yield from self._reply(event)
            return
        if isinstance(event, (ReplyStarted, ErrorEvent)) and event.turn in self._unwritten:
            self._unwritten.discard(event.turn)
            if self._writes:
                self._awaited.add(event.turn)
            else:
                yield from self._told(f"    you: {_length(self._spoke_s)}", "bold")
        line = self._line(event)
        if line is not None or isinstance(event, TurnDone):
            yield from self._flush()
        if isinstance(event, TurnDone):
            yield from self._end(event)
        if line is not None:
            yield line

    def _follow(self, event: Event) -> None:
        match event:
            case SpeechStarted(sample=sample):
                self._began, self._spoke_s = sample, None
            case SpeechEnded(speech_end_sample=end) if self._began is not None:
                self._spoke_s = max(0, end - self._began) / self._rate_hz
            case TurnCommitted(turn=turn, origin=Origin.SPEECH.value):
                self._unwritten.add(turn)
            case TurnCommitted(turn=turn, origin=Origin.DUPLEX.value):
                self._live = turn
            case Transcript(turn=turn):
                self._unwritten.discard(turn)
                self._awaited.discard(turn)
                self._writes = True
            case ReplyStarted(turn=turn) if turn != self._live:
                self._silent_reply = turn

    def _reply(self, event: ReplyText) -> Iterator[Line]:
        self._silent_reply = None
        now = self._now()
        if now - self._told_at > PAUSE_S:
            yield from self._flush()
        self._told_at = now
        self.pending += event.text
        if _FULL_STOP.search(self.pending) or len(self.pending) > MAX_PENDING_CHARS:
            yield from self._flush()

    def _flush(self) -> Iterator[Line]:
        text, self.pending = self.pending.strip(), ""
        if text:
            yield from self._told(f"machine: {text}", "cyan")

    def _end(self, event: TurnDone) -> Iterator[Line]:
        self._unwritten.discard(event.turn)
        if event.turn in self._awaited:
            self._awaited.discard(event.turn)
            yield from self._told("    you: (speech)", "bold")
        if event.turn == self._silent_reply:
            self._silent_reply = None
            spoke_s = event.marks.get("heard_to", 0.0) - event.marks.get("first_audio", 0.0)
            yield from self._told(f"machine: {_length(spoke_s)}", "cyan")

    def _told(self, text: str, style: str) -> Iterator[Line]:
        if self._with_text:
            yield Line(text, style)

    def _line(self, event: Event) -> Line | None:
        """The line of an event that has one of its own."""
        match event:
            case Transcript(text=text) if self._with_text:
                return Line(f"    you: {text}", "bold")
            case Interrupted(reason=reason):
                return Line(f"         (interrupted: {reason})", "yellow")
            case TurnDone(latency=Latency(total_ms=float()) as latency):
                return Line(f"         {describe_latency(latency)}")
            case TurnDone(state="done", reason=reason) if reason != "complete":
                return Line(f"         ({reason})")
            case ErrorEvent(text=text):
                return Line(f"  error: {text}", "red")
            case NoticeGiven(text=text):
                return Line(f"   note: {text}")
            case AudioLost(samples=samples, reason=reason):
                return Line(f"  error: {samples} microphone samples were lost: {reason}")
            case FramesLate(frames=frames, worst_ms=worst_ms):
                return Line(f"         ({_late(frames, worst_ms)})")
            case SessionEnded(reason=reason) if reason != FINISHED:
                return Line(f"         (the session ended: {reason})")
        return None


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


def _late(frames: int, worst_ms: float) -> str:
    """Describe the frames of a full-duplex reply that were left out."""
    noun = "frame" if frames == 1 else "frames"
    return f"{frames} {noun} of the reply left out: up to {worst_ms:.0f} ms too late"


def _length(seconds: float | None) -> str:
    """Describe speech without words; None: the speech is still going on."""
    return "(speech)" if seconds is None else f"({seconds:.1f} s of speech)"
