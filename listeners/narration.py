"""Narration: a conversation as lines of text for a human reader."""

import time
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from listeners.printable import printable
from listeners.sentences import Sentences
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

_LABEL_WIDTH = len("machine")


class Line(NamedTuple):
    """One line: the speaker, or the kind of the line, and the words."""

    label: Literal["you", "machine", "error", "note", ""]
    body: str

    @property
    def text(self) -> str:
        """The line with its label in front, printable."""
        colon = ": " if self.label else "  "
        return f"{self.label:>{_LABEL_WIDTH}}{colon}{printable(self.body)}"


class Narration:
    """Narrates the events of one session, in order. Pieces of a reply are joined into whole sentences.
    If an end-to-end engine writes no words of one side, the length of the speech stands in for them.

    `rate_hz` is the capture rate, in which events count samples. Without `with_text`, no words are
    shown. Without `by_sentence`, a reply is one line, which is `pending` until the reply ends or
    something else is told.
    """

    def __init__(
        self,
        rate_hz: int,
        *,
        with_text: bool,
        by_sentence: bool = True,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sentences = Sentences(now)
        self._pending_turn = 0
        self._rate_hz = rate_hz
        self._with_text = with_text
        self._by_sentence = by_sentence
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

    @property
    def pending(self) -> str:
        """The part of a reply that is not told yet: the beginning of a sentence."""
        return self._sentences.pending

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
                yield from self._told("you", _length(self._spoke_s))
        line = self._line(event)
        ends_reply = isinstance(event, TurnDone) and event.turn == self._pending_turn
        if line is not None or ends_reply:
            yield from self.flush()
        if isinstance(event, TurnDone):
            yield from self._end(event)
        if line is not None:
            yield line

    def flush(self) -> Iterator[Line]:
        """Tell what is pending."""
        for text in self._sentences.flush():
            yield from self._told("machine", text)

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
        self._pending_turn = event.turn
        if not self._by_sentence:
            self._sentences.pending += event.text
            return
        for text in self._sentences.feed(event.text):
            yield from self._told("machine", text)

    def _end(self, event: TurnDone) -> Iterator[Line]:
        self._unwritten.discard(event.turn)
        if event.turn in self._awaited:
            self._awaited.discard(event.turn)
            yield from self._told("you", "(speech)")
        if event.turn == self._silent_reply:
            self._silent_reply = None
            spoke_s = event.marks.get("heard_to", 0.0) - event.marks.get("first_audio", 0.0)
            yield from self._told("machine", _length(spoke_s))

    def _told(self, speaker: Literal["you", "machine"], text: str) -> Iterator[Line]:
        if self._with_text:
            yield Line(speaker, text)

    def _line(self, event: Event) -> Line | None:
        """The line of an event that has one of its own."""
        match event:
            case Transcript(text=text) if self._with_text:
                return Line("you", text)
            case Interrupted(reason=reason):
                return Line("", f"(interrupted: {reason})")
            case TurnDone(latency=Latency(total_ms=float()) as latency):
                return Line("", describe_latency(latency))
            case TurnDone(state="done" | "failed", reason=reason) if reason != "complete":
                return Line("", f"({reason})")
            case ErrorEvent(code="nothing_said"):
                return Line("note", "I heard nothing.")
            case ErrorEvent(text=text):
                return Line("error", text)
            case NoticeGiven(text=text):
                return Line("note", text)
            case AudioLost(samples=samples, reason=reason):
                return Line("error", f"{samples} microphone samples were lost: {reason}")
            case FramesLate(frames=frames, worst_ms=worst_ms):
                return Line("", f"({_late(frames, worst_ms)})")
            case SessionEnded(reason=reason) if reason != FINISHED:
                return Line("", f"(the session ended: {reason})")
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
