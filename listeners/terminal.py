"""Terminal: the conversation on a screen, with the program's state in the last line."""

import math
import time

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from listeners.listener import Listener
from listeners.narration import LABEL_WIDTH, Narration
from pipeline.events import (
    ErrorEvent,
    Event,
    InputLevel,
    ListeningChanged,
    OutputLevel,
    PartialTranscript,
    Paused,
    ReplyStarted,
    SpeechCancelled,
    SpeechEnded,
    SpeechStarted,
    TalkSignalled,
    TurnDone,
    TurnPending,
)
from pipeline.loudness import QUIET_RMS
from pipeline.session import Session

_METER_CELLS = 20
_METER_FULL_RMS = 0.25
"""RMS of loud speech close to the microphone."""

_WORD_GAP_S = 0.5
"""Longest pause between two words in which a full-duplex model still counts as speaking."""

_NOTHING_YET = PartialTranscript("", 0)

_STATES = {
    "listening": ("●", "green"),
    "space to talk": ("○", "green"),
    "hearing you": ("●", "bold green"),
    "go on": ("◌", "bold green"),
    "thinking": ("◐", "yellow"),
    "speaking": ("▶", "cyan"),
}


class Terminal(Listener):
    """Prints both sides of the conversation; the last line shows state, level and partial transcript.

    A full-duplex model listens and sends audio all the time, so both levels are shown, and the model's
    loudness tells whether it speaks.
    """

    def __init__(self, session: Session, console: Console | None = None) -> None:
        self._idle = "listening" if session.settings.hands_free else "space to talk"
        self._state = self._idle
        self._duplex = session.capabilities.duplex
        self._narration = Narration(session.intake.rate_hz, with_text=True)
        self._level = self._own_level = 0.0
        self._loud_at = -_WORD_GAP_S
        self._partial = _NOTHING_YET
        self._replying = 0
        self._live = Live(Text(""), console=console, auto_refresh=False, transient=True)
        self._live.start()
        super().__init__(session, live=(InputLevel, OutputLevel, PartialTranscript))

    def on_event(self, event: Event) -> None:
        """Show one event."""
        for text, style in self._narration.lines(event):
            columns = Table.grid()  # wraps a long text beside its label, not below it
            columns.add_row(Text(text[:LABEL_WIDTH]), Text(text[LABEL_WIDTH:]), style=style)
            self._live.console.print(columns)
        self._follow(event)
        self._live.update(self._status(), refresh=True)

    def _run(self) -> None:
        try:
            super()._run()
        finally:
            self._live.stop()

    def _follow(self, event: Event) -> None:
        match event:
            case InputLevel(rms=rms):
                self._level = rms
            case OutputLevel(rms=rms):
                self._own_level = rms
                self._follow_loudness()
            case SpeechStarted() | Paused(paused=True):
                self._state = "hearing you"
            case TurnPending(pending=pending):
                self._state = "go on" if pending else "hearing you"
            case SpeechEnded():
                self._state, self._partial = "thinking", _NOTHING_YET
            case PartialTranscript() as partial:
                self._partial = partial
            case ReplyStarted(turn=turn) | Paused(turn=turn, paused=False) if not self._duplex:
                self._state, self._replying = "speaking", turn
            case ListeningChanged(listening=True):
                self._state = self._idle
            case TalkSignalled(talk=talk) if self._duplex:
                self._idle = "hearing you" if talk == "start" else "space to talk"
            case TalkSignalled(talk="start"):
                self._state = "hearing you"
            case SpeechCancelled() | TalkSignalled(talk="cancel") | ErrorEvent(code="nothing_said"):
                self._state, self._partial = self._idle, _NOTHING_YET
            case TurnDone(turn=turn) if self._state == "thinking" or turn == self._replying:
                self._state = self._idle

    def _follow_loudness(self) -> None:
        if not self._duplex:
            return
        now = time.monotonic()
        if self._own_level > QUIET_RMS:
            self._loud_at = now
        speaks = now - self._loud_at < _WORD_GAP_S
        self._state = "speaking" if speaks else self._idle

    def _status(self) -> Text:
        symbol, style = _STATES[self._state]
        line = Text(f"{symbol} {self._state:<14}", style=style)
        if self._duplex:
            line.append(_meter(self._level, _METER_CELLS // 2), style="green")
            line.append(f" {_meter(self._own_level, _METER_CELLS // 2)}", style="cyan")
            pending = self._narration.pending.strip()
            line.append(
                f"  {pending[-max(0, self._live.console.width - len(line) - 3) :]}", style="cyan"
            )
        elif self._state != "speaking":
            line.append(_meter(self._level, _METER_CELLS), style="green")
        text, stable = self._partial.text, self._partial.stable_chars
        start = max(0, len(text) - self._live.console.width + len(line) + 3)  # newest words
        line.append(f"  {text[start : max(start, stable)]}")
        line.append(text[max(start, stable) :], style="dim")
        return line


def _meter(rms: float, cells: int) -> str:
    filled = min(cells, round(cells * math.sqrt(rms / _METER_FULL_RMS)))
    return "▮" * filled + "▯" * (cells - filled)
