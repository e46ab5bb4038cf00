"""Terminal: the conversation on a screen, with the program's state in the last line."""

import threading
import time
from collections import deque
from collections.abc import Sequence

from rich.console import Console
from rich.live import Live
from rich.text import Text

from listeners.display_state import DisplayState
from listeners.glyphs import glyphs_for
from listeners.key_list import KeyHelp
from listeners.latency_chart import latency_chart
from listeners.line_editor import LineEditor
from listeners.listener import Listener
from listeners.narration import Line, Narration
from listeners.paragraph import LABEL_WIDTH, Paragraph
from listeners.status_line import StatusLine
from listeners.tally import Tally
from pipeline.addressing import NO_TURN, NOT_MEANT
from pipeline.events import (
    Event,
    InputLevel,
    Interrupted,
    OutputLevel,
    PartialTranscript,
    ReplyText,
    SessionEnded,
    SpeechStarted,
    Transcript,
    TurnCommitted,
    TurnDone,
)
from pipeline.loudness import QUIET_RMS
from pipeline.session import FINISHED, Session
from pipeline.turn import Origin

FRAME_S = 0.05
"""Shortest time between two pictures of which only a level differs."""

_WORD_GAP_S = 0.5
"""Longest pause between two words in which a full-duplex model still counts as speaking."""

_KEPT_LINES = 6
"""Lines of the screen that a growing answer leaves to others."""

_KEY_WIDTH = len("Space  ")

_NOTHING_YET = PartialTranscript("", 0)

STOPPED = "the user pressed Escape"
"""Reason of an answer that a key stopped."""

_MIN_UNMEANT_WORDS = 3
"""Fewer words are a nod, which gets no answer anyway."""

_MARKS = {STOPPED: "stopped", "stopped": "stopped"}

_STYLES = {"you": "bold", "machine": "cyan", "error": "red", "note": "dim", "": "dim"}
_LABELS = {"you": "you", "machine": "s2s", "error": "!", "note": "", "": ""}


class Terminal(Listener):
    """Prints both sides of the conversation; below it, live, the answer that is being heard, the words
    that the user is saying or typing, and the state.

    A full-duplex model listens and sends audio all the time, so both levels are shown, and the model's
    loudness tells whether it speaks.
    """

    def __init__(
        self,
        session: Session,
        console: Console | None = None,
        *,
        latency: bool = False,
        keys: Sequence[KeyHelp] = (),
    ) -> None:
        """`latency`: show where the time of each answer went. `keys`: those of the keyboard, if there is
        one."""
        self._session = session
        self._console = console or Console(highlight=False)
        self.glyphs = glyphs_for(self._console)
        by_hand = not session.settings.hands_free
        self._state = DisplayState(session.capabilities, "push" if by_hand else "on")
        self._status = StatusLine(self._state, self.glyphs, with_keys=bool(keys))
        self._duplex = session.capabilities.duplex
        self._narration = Narration(session.intake.rate_hz, with_text=True, by_sentence=self._duplex)
        self._tally = Tally(by_hand=by_hand)
        self._answer: Paragraph | None = None
        """The answer that was cut off, until the end of its turn is reported."""
        self._told_chars = 0
        """Length of the part of the answer that was printed while it went on."""
        self._partial = _NOTHING_YET
        self._typed: deque[str] = deque()
        """Texts whose turns are about to begin."""
        self._editor = LineEditor()
        self._typing = False
        self._latency = latency
        self._last: TurnDone | None = None
        self._keys = keys
        self._panel: Sequence[tuple[str, str]] = ()
        self.panel_of: object = None
        """The owner of the rows that are shown above the status."""
        self._loud_at = -_WORD_GAP_S
        self._drawn_at = 0.0
        self._lock = threading.RLock()
        self._live = Live(Text(""), console=self._console, auto_refresh=False, transient=True)
        self._live.start()
        self._draw()  # before other threads print: rich places their lines above the last picture
        super().__init__(session, live=(InputLevel, OutputLevel, PartialTranscript))

    # -- for the keys, on their thread -------------------------------------------------------------

    @property
    def state(self) -> DisplayState:
        """The state of the conversation."""
        return self._state

    @property
    def typing(self) -> bool:
        """True while the user types a turn."""
        return self._typing

    def begin_typing(self) -> None:
        """Open the line for a typed turn."""
        with self._lock:
            self._typing = True
            self.show(())

    def edit(self, key: str) -> None:
        """Change the line that is being typed."""
        with self._lock:
            self._editor.press(key)
            self._draw()

    def end_typing(self, *, send: bool) -> str:
        """Close the line, and return it if it is to be sent."""
        with self._lock:
            text = self._editor.take() if send else ""
            self._editor.clear()
            self._typing = False
            if text:
                self._typed.append(text)
            self._draw()
            return text

    def refuse_typed(self, why: str) -> None:
        """The last typed text was not taken: say why."""
        with self._lock:
            text = self._typed.pop()
            self._print_line(Line("you", text))
            self._print_line(Line("error", why))
            self._draw()

    def mute(self, muted: bool) -> None:
        """Show whether the microphone is off."""
        with self._lock:
            self._state.microphone = "muted" if muted else "on"
            self._draw()

    def toggle_latency(self) -> None:
        """Show where the time of each answer goes, beginning with the last, or with the one that is
        going on; or stop that."""
        with self._lock:
            self._latency = not self._latency
            if self._latency and self._last is not None and self._growing() is None:
                self._print_chart(self._last)
            word = "answers show" if self._latency else "answers no longer show"
            self._status.flash(f"{word} where their time went")
            self._draw()

    def toggle_keys(self) -> None:
        """Show the keys above the status, or hide them."""
        with self._lock:
            rows = [(key, about) for key, _, about in self._keys]
            self.show(() if self.panel_of is self else rows, self)

    def show(self, panel: Sequence[tuple[str, str]], owner: object = None) -> None:
        """Show these rows above the status, each with its key, in place of those before."""
        with self._lock:
            self._panel, self.panel_of = panel, owner if panel else None
            self._draw()

    def note(self, text: str) -> None:
        """Print a remark."""
        with self._lock:
            self._print_line(Line("note", text))
            self._draw()

    def redraw(self) -> None:
        """Draw the screen again, since something else has written to it."""
        with self._lock:
            self._draw()

    # -- events ------------------------------------------------------------------------------------

    def on_event(self, event: Event) -> None:
        """Show one event."""
        with self._lock:
            self._state.follow(event)
            self._status.follow(event)
            self._follow(event)
            self._tell(event)
            only_level = isinstance(event, (InputLevel, OutputLevel))
            if not only_level or time.monotonic() - self._drawn_at >= FRAME_S:
                self._draw()

    def _run(self) -> None:
        try:
            super()._run()
        finally:
            self._live.stop()

    def _follow(self, event: Event) -> None:
        match event:
            case PartialTranscript() as partial:
                self._partial = partial
            case SpeechStarted() | Transcript():
                self._partial = _NOTHING_YET
            case TurnCommitted(origin=Origin.TEXT.value) if self._typed:
                self._print_line(Line("you", self._typed.popleft()))
            case OutputLevel(rms=rms) if self._duplex:
                now = time.monotonic()
                self._loud_at = now if rms > QUIET_RMS else self._loud_at
                self._state.reply = "speaking" if now - self._loud_at < _WORD_GAP_S else "none"

    def _tell(self, event: Event) -> None:
        """Print what an event completes."""
        if isinstance(event, ReplyText) and self._is_too_long():
            self._print_part()
        for line in self._narration.lines(event):
            if line.label == "machine" and not self._duplex:
                self._answer = self._paragraph(line.body)
                if isinstance(event, Interrupted):
                    self._cut(self._answer, event)
            elif line.label or not isinstance(event, (Interrupted, TurnDone, SessionEnded)):
                self._print_line(line)
        if isinstance(event, TurnDone):
            self._end_turn(event)
        elif isinstance(event, SessionEnded):
            self._print_answer()
            if event.reason not in (FINISHED, "stopped"):
                self._print_line(Line("error", f"the session ended: {event.reason}"))
            self._console.print(Text(self._tally.closing_line(), "dim"))

    def _paragraph(self, text: str) -> Paragraph:
        """The answer so far, as a paragraph."""
        label = "" if self._told_chars else _LABELS["machine"]
        return Paragraph(label, self.glyphs.printable(text), "cyan", "cyan")

    def _cut(self, answer: Paragraph, event: Interrupted) -> None:
        answer.heard = max(0, min(len(answer.text), len(event.heard) - self._told_chars))
        answer.mark = f"{self.glyphs.cut} {_MARKS.get(event.reason, 'you cut in')}"

    def _end_turn(self, event: TurnDone) -> None:
        self._tally.add(event)
        if self._answer is not None:
            wait_s = self._tally.wait_s(event.latency)
            self._answer.figure = "" if wait_s is None else f"{wait_s:.1f} s"
            if event.state == "failed":
                self._answer.mark = f"{self.glyphs.cut} failed"
            self._print_answer()
        elif event.reason == STOPPED and event.user_text and not self._told_chars:
            self._print_line(Line("note", f"{self.glyphs.cut} stopped before the answer began"))
        elif event.reason in (NOT_MEANT, NO_TURN):
            said, self._partial = self._partial.text.strip(), _NOTHING_YET
            if len(said.split()) >= _MIN_UNMEANT_WORDS:
                remark = f"not taken as meant for me: “{said}” Say it again, and I answer."
                self._print_line(Line("note", remark))
        self._told_chars = 0
        if event.latency.total_ms is not None:
            self._last = event
            if self._latency:
                self._print_chart(event)

    # -- drawing -----------------------------------------------------------------------------------

    def _is_too_long(self) -> bool:
        lines = len(self._narration.pending) // max(1, self._console.width - LABEL_WIDTH)
        return not self._duplex and lines > self._console.height - _KEPT_LINES

    def _print_part(self) -> None:
        """Print what was said of an answer that is longer than the screen."""
        pending = self._narration.pending
        for line in self._narration.flush():
            self._print(self._paragraph(line.body))
        self._told_chars += len(pending)

    def _print_line(self, line: Line) -> None:
        self._print_answer()
        if line.label == "you":
            self._console.print()
        style = _STYLES[line.label]
        text = self.glyphs.printable(line.body)
        self._print(Paragraph(_LABELS[line.label], text, style, style))

    def _print_answer(self) -> None:
        if self._answer is not None:
            answer, self._answer = self._answer, None
            self._print(answer)

    def _print(self, paragraph: Paragraph) -> None:
        for line in paragraph.lines(self._console):
            self._console.print(line, no_wrap=True, overflow="ignore", crop=False)

    def _print_chart(self, done: TurnDone) -> None:
        chart = latency_chart(
            done.latency, done.waterfall, self.glyphs, self._console.width, LABEL_WIDTH
        )
        for line in chart:
            self._console.print(line)

    def _growing(self) -> Paragraph | None:
        """The answer that is going on, as far as it was heard."""
        pending = self._narration.pending.strip()
        return self._paragraph(pending) if self._answer is None and pending else self._answer

    def _draw(self) -> None:
        width = self._console.width - 1
        lines: list[Text] = []
        growing = self._growing()
        if growing is not None:
            lines += growing.lines(self._console)
        for key, about in self._panel:
            lines += Paragraph(
                key, self.glyphs.printable(about), label_style="bold", label_width=_KEY_WIDTH
            ).lines(self._console)
        hints: Sequence[str] = ()
        if self._typing:
            hints = ("Enter sends, Esc leaves", "Enter sends")
            typed = self._editor.shown(width - LABEL_WIDTH, self.glyphs.more)
            lines.append(Text.assemble((f"{'you':<{LABEL_WIDTH}}", "bold"), typed))
        elif self._partial.text and self._state.user != "silent":
            lines.append(self._words(width))
        lines.append(self._status.draw(width, *hints))
        self._drawn_at = time.monotonic()
        screen = Text("\n", no_wrap=True, overflow="crop").join(lines)
        self._live.update(screen, refresh=True)

    def _words(self, width: int) -> Text:
        """The newest of the words that the user is saying; those that may change are dim."""
        room = width - LABEL_WIDTH
        words = Text(self.glyphs.printable(self._partial.text))
        words.stylize("dim", self._partial.stable_chars)
        if words.cell_len > room:
            words = words[-room:]
            while words.cell_len > room - len(self.glyphs.more):
                words = words[1:]
            words = Text.assemble((self.glyphs.more, "dim"), words)
        return Text.assemble((f"{'you':<{LABEL_WIDTH}}", "bold"), words)
