"""Terminal: the conversation on a screen, with the program's state in the last line."""

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from listeners.lines import LABEL_WIDTH, describe
from listeners.listener import Listener
from pipeline.events import (
    ErrorEvent,
    Event,
    InputLevel,
    Interrupted,
    ListeningChanged,
    PartialTranscript,
    Paused,
    ReplyStarted,
    ReplyText,
    SpeechCancelled,
    SpeechEnded,
    SpeechStarted,
    TalkSignalled,
    Transcript,
    TurnDone,
    TurnPending,
)
from pipeline.session import Session

_METER_CELLS = 20
_METER_FULL_RMS = 0.25
"""RMS of loud speech close to the microphone."""

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
    """Prints both sides of the conversation; the last line shows state, level and partial transcript."""

    def __init__(self, session: Session, console: Console | None = None) -> None:
        self._idle = "listening" if session.settings.hands_free else "space to talk"
        self._state = self._idle
        self._level = 0.0
        self._partial = _NOTHING_YET
        self._replying = 0
        self._live = Live(Text(""), console=console, auto_refresh=False, transient=True)
        self._live.start()
        super().__init__(session, live=(InputLevel, PartialTranscript))

    def on_event(self, event: Event) -> None:
        """Show one event."""
        line = describe(event, with_text=True)
        if line is not None:
            columns = Table.grid()  # wraps a long text beside its label, not below it
            columns.add_row(Text(line[:LABEL_WIDTH]), Text(line[LABEL_WIDTH:]), style=_style(event))
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
            case SpeechStarted() | Paused(paused=True):
                self._state = "hearing you"
            case TurnPending(pending=pending):
                self._state = "go on" if pending else "hearing you"
            case SpeechEnded():
                self._state, self._partial = "thinking", _NOTHING_YET
            case PartialTranscript() as partial:
                self._partial = partial
            case ReplyStarted(turn=turn) | Paused(turn=turn, paused=False):
                self._state, self._replying = "speaking", turn
            case ListeningChanged(listening=True):
                self._state = self._idle
            case TalkSignalled(talk="start"):
                self._state = "hearing you"
            case SpeechCancelled() | TalkSignalled(talk="cancel") | ErrorEvent(code="nothing_said"):
                self._state, self._partial = self._idle, _NOTHING_YET
            case TurnDone(turn=turn) if self._state == "thinking" or turn == self._replying:
                self._state = self._idle

    def _status(self) -> Text:
        symbol, style = _STATES[self._state]
        line = Text(f"{symbol} {self._state:<14}", style=style)
        if self._state != "speaking":
            filled = min(_METER_CELLS, round(_METER_CELLS * (self._level / _METER_FULL_RMS) ** 0.5))
            line.append("▮" * filled + "▯" * (_METER_CELLS - filled), style="green")
        text, stable = self._partial.text, self._partial.stable_chars
        start = max(0, len(text) - self._live.console.width + len(line) + 3)  # newest words
        line.append(f"  {text[start : max(start, stable)]}")
        line.append(text[max(start, stable) :], style="dim")
        return line


def _style(event: Event) -> str:
    match event:
        case Transcript():
            return "bold"
        case ReplyText():
            return "cyan"
        case ErrorEvent():
            return "red"
        case Interrupted():
            return "yellow"
    return "dim"
