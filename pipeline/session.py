"""Session: one conversation, which owns its stages, its turns and its events."""

import threading
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

import numpy as np

from pipeline.activity import Activity
from pipeline.apologies import Apologies
from pipeline.barge_in import BargeIn
from pipeline.capabilities import Capabilities
from pipeline.channel import END, Channel
from pipeline.clock import Clock, MonotonicClock
from pipeline.error_report import error_event
from pipeline.errors import EngineBusy, EngineError, SessionBusy, SessionClosed
from pipeline.events import SessionEnded, TurnCommitted
from pipeline.gate import Gate
from pipeline.handler import BaseHandler, NewStageThreads, Stages, StageThreads
from pipeline.intake import BACKLOG_S, Intake
from pipeline.mailbox import Mailboxes
from pipeline.messages import (
    ChatMessage,
    EndOfTurn,
    ManualTurn,
    Samples,
    Sentence,
    Speech,
    UserText,
)  # fmt: skip
from pipeline.notices import Notices
from pipeline.playout import FLOOR_S, Playout
from pipeline.reports import Reports
from pipeline.settings import SessionSettings
from pipeline.sink import Sink
from pipeline.sound_check import SoundSource
from pipeline.stage import stage
from pipeline.turn import CancelToken, Origin, Turn, TurnState
from pipeline.turns import Turns

TURNS_IN_LINE = 32
"""Turns that may be active at once; `say` refuses one more. Users wait for one or two."""

FINISHED = "finished"
"""Reason for the end of a session whose input ended."""

SHUT_DOWN = "the server was shut down"
"""Reason for the end of a session whose server stops."""


class SessionState(Enum):
    """State of a session; see the table in docs/architecture.md."""

    OPEN = "open"
    FINISHING = "finishing"
    CLOSING = "closing"
    CLOSED = "closed"


class Session:
    """One conversation, from the first block of audio to the last sample heard.

    `build_pipeline` builds it and gives it its stages with `start`. All methods may be called from any
    thread, and only `join` waits.
    """

    def __init__(
        self,
        sink: Sink,
        capture_rate_hz: int,
        window_samples: int,
        *,
        settings: SessionSettings = SessionSettings(),
        clock: Clock | None = None,
        enhance: Callable[[Samples], Samples] | None = None,
    ) -> None:
        self._settings = settings
        self.clock = clock or MonotonicClock()
        self.events = Mailboxes()
        self.turns = Turns(self)
        self.reports = Reports(self.events, self.turns)
        self.notices = Notices(self.events, self.turns.when_committed)
        self.apologies = Apologies(self.now, self.turns.when_committed)
        self.activity = Activity()
        self.stop_event = threading.Event()
        self.closing = CancelToken()
        """Token that is raised when the session closes, for engine calls that belong to no single
        turn."""
        self.gate = Gate()
        self._channels: list[Channel[Any]] = []
        waiting_windows = int(BACKLOG_S * capture_rate_hz / window_samples)
        self.audio: Channel[Any] = self.channel(waiting_windows)
        """Channel to the first stage: audio and signals, and also texts, so that they wait for earlier
        speech."""
        self.intake = Intake(
            self.audio, self.gate, self.clock, self.events, capture_rate_hz, window_samples, enhance
        )
        self.on_closed: Callable[[], object] = lambda: None
        self.muted = False
        """True while silence takes the place of the microphone's audio; may be set at any time."""
        self._sink = sink
        self._lock = threading.Lock()
        self._state = SessionState.OPEN
        self._stages: StageThreads
        self.capabilities = Capabilities()
        self._end_reason = FINISHED
        self.playout: Playout
        self.barge_in: BargeIn

    # -- building ----------------------------------------------------------------------------------

    def channel(self, capacity: int | None = None) -> Channel[Any]:
        """Create a channel between two stages of this session."""
        channel: Channel[Any] = Channel(capacity, self.activity)
        self._channels.append(channel)
        return channel

    def last_stage(self, speech: Channel[Speech | EndOfTurn], source: SoundSource) -> Playout:
        """Create the playout of this session, which `speech` feeds."""
        self.playout = stage(
            Playout,
            self.stop_event,
            speech,
            None,
            self._sink,
            self.clock,
            self.gate,
            self.events,
            self.reports,
            source,
        )
        self.barge_in = BargeIn(self.playout, self.clock, self.turns.interrupt_reply)
        return self.playout

    def start(self, stages: Stages, capabilities: Capabilities, new_threads: NewStageThreads) -> None:
        """Run these stages, the playout last, on the threads that `new_threads` creates."""
        self.capabilities = capabilities
        self._stages = new_threads(stages, self._stage_failed, self._ended)
        self._stages.start()

    # -- for connections ---------------------------------------------------------------------------

    @property
    def state(self) -> SessionState:
        return self._state

    @property
    def has_begun(self) -> bool:
        """True if there has been a turn."""
        return self.turns.begun > 0

    @property
    def should_listen(self) -> threading.Event:
        """Set while the microphone's audio is taken, clear while it is ignored."""
        return self.gate.should_listen

    @property
    def settings(self) -> SessionSettings:
        """The settings of the next turn; a turn keeps those with which it began."""
        return self._settings

    def change_settings(self, settings: SessionSettings) -> None:
        """Use these settings from the next turn on.

        Raises `EngineError`, and changes nothing, if the synthesizer does not have the voice.
        """
        if settings.voice not in (None, self._settings.voice):
            self.capabilities.expect_voice(settings.voice)
        self._settings = settings

    def feed(self, samples: Samples, rate_hz: int, captured_at: float | None = None) -> None:
        """Take audio from the microphone: mono float32 in [-1, 1], in blocks of any size.

        `captured_at` is the time of the first sample on the session's clock; None: estimate it.
        """
        if self._state is SessionState.OPEN:
            samples = np.zeros_like(samples) if self.muted else samples
            self.intake.feed(samples, rate_hz, captured_at)

    def start_speech(self) -> None:
        """Begin an utterance by hand.

        The current reply stops, the microphone's audio is taken at once, and no pause ends the utterance
        before `commit_speech` or `cancel_speech`.
        """
        self._signal(ManualTurn.START)

    def commit_speech(self) -> None:
        """End the utterance by hand and answer it, no matter how it began.

        If the user said nothing, the client gets an error event (``nothing_said``).
        """
        self._signal(ManualTurn.COMMIT)

    def cancel_speech(self) -> None:
        """Forget the current utterance."""
        self._signal(ManualTurn.CANCEL)

    def respond(
        self,
        text: str = "",
        *,
        context: Sequence[ChatMessage] | None = None,
        settings: SessionSettings | None = None,
        aside: bool = False,
    ) -> Turn:
        """Answer a typed text; without one, answer the conversation so far, or `context` in its place.

        The current reply is interrupted. An `aside` is answered outside the conversation: it interrupts
        nothing and is not remembered. Raises `SessionClosed`, `SessionBusy`, `EngineError`.
        """
        turn = self._begin_from_outside(Origin.PROGRAM if aside else Origin.TEXT, settings)
        turn.remembered = not aside
        turn.user_text = text
        turn.commit()
        if text and turn.remembered:
            self.reports.memory.said(turn.number, text)
        self._hand_in(UserText(turn, text, None if context is None else tuple(context)))
        return turn

    def say(self, text: str) -> Turn:
        """Speak `text` after the current reply. Raises the same errors as `respond`."""
        if self.capabilities.texts and not self.capabilities.reads_aloud:
            raise EngineError(
                f"expected a synthesizer to read the text aloud, but {self.capabilities.name} answers "
                "without one; use --stt, --llm and --tts instead of --s2s",
                code="no_synthesizer",
            )
        turn = self._begin_from_outside(Origin.PROGRAM)
        turn.commit()
        self._hand_in(Sentence(turn, text, text), EndOfTurn(turn, "complete"))
        return turn

    def interrupt(self, reason: str = "cancelled", *, number: int | None = None) -> None:
        """Stop every active turn, or only the one with this number.

        On return the history is written and nothing more is sent.
        """
        self.turns.interrupt(reason, number)

    def finish(self) -> None:
        """End the input: answer the last utterance, let the answer be heard, then end the session."""
        with self._lock:
            if self._state is not SessionState.OPEN:
                return
            self._state = SessionState.FINISHING
        self.intake.finish()
        self.audio.put(END)

    def close(self, reason: str = "closed") -> None:
        """Stop everything now: the client is gone. Returns at once; `join` waits."""
        with self._lock:
            if self._state in (SessionState.CLOSING, SessionState.CLOSED):
                return
            self._state = SessionState.CLOSING
            self._end_reason = reason
        try:
            self.turns.close(reason)
        finally:
            self.stop_event.set()
            self.closing.cancel()
            for channel in self._channels:
                channel.close()

    def join(self, timeout_s: float | None = None) -> list[str]:
        """Wait for every stage to end. Returns the names of those that still run after `timeout_s`."""
        return self._stages.join(timeout_s)

    # -- for stages --------------------------------------------------------------------------------

    @property
    def end_reason(self) -> str:
        """The reason for its end, once it is closing."""
        return self._end_reason

    def begin_turn(self, origin: Origin, settings: SessionSettings | None = None) -> Turn:
        """Begin a tentative turn; it is dropped at once if the session is closing or too many phrases
        are in line."""
        settings = settings or self.settings
        in_line = len(self.turns)
        turn = self.turns.begin(origin, settings)
        phrase = origin is Origin.SPEECH and settings.reply_mode == "stream"
        if phrase and in_line >= TURNS_IN_LINE and turn.alive:
            limit = f"{TURNS_IN_LINE} phrases are in line; this one is left out"
            self.report("vad", EngineBusy(limit))
            turn.drop("too many phrases are in line")
        return turn

    def report(self, stage: str, error: Exception, turn: Turn | None = None) -> None:
        """Tell the client that `stage` failed."""
        self.events.emit(error_event(stage, error, turn))

    # -- for turns, whose observer it is -----------------------------------------------------------

    def now(self) -> float:
        return self.clock.now()

    def turn_moved(self, turn: Turn, state: TurnState) -> None:
        if state is TurnState.COMMITTED:
            settings = turn.settings
            if turn.origin.is_user and settings.reply_mode == "turn" and settings.interruptible:
                self.turns.make_way_for(turn)
            self.events.emit(TurnCommitted(turn.number, turn.origin.value, settings.answers))
            self.turns.run_on_commit(turn)
            self.playout.committed(turn)
        elif state in (TurnState.INTERRUPTED, TurnState.DROPPED):
            self.playout.settle(turn)
            for channel in self._channels:
                channel.forget_the_dead()

    def turn_failed(self, turn: Turn, stage: str, error: Exception) -> None:
        event = error_event(stage, error, turn)
        self.turns.when_committed(turn, lambda: self.events.emit(event))

    # ----------------------------------------------------------------------------------------------

    def _signal(self, action: ManualTurn) -> None:
        if self._state is not SessionState.OPEN:
            return
        if action is ManualTurn.START and not self.capabilities.duplex:
            if self.settings.reply_mode == "turn" and self.settings.interruptible:
                self.playout.floor_until(self.now() + FLOOR_S)  # else the next reply in line would begin
                self.turns.interrupt_reply("the user began to speak by hand")
            self.gate.open_at(self.now())
            self.playout.wake()
        self.intake.signal(action)

    def _begin_from_outside(self, origin: Origin, settings: SessionSettings | None = None) -> Turn:
        if self._state is not SessionState.OPEN:
            raise SessionClosed(f"expected an open session, got one that is {self._state.value}")
        if self.capabilities.duplex:
            raise EngineError("this model listens, it does not read", code="speech_only")
        if not self.capabilities.texts:
            raise EngineError("this pipeline answers speech only, not text", code="speech_only")
        if self.intake.is_full:
            raise SessionBusy(f"{BACKLOG_S:.0f} s of audio are waiting already; wait for a turn to end")
        if len(self.turns) >= TURNS_IN_LINE:
            raise SessionBusy(f"{TURNS_IN_LINE} turns are in line already; wait for one to end")
        return self.begin_turn(origin, settings)

    def _hand_in(self, *messages: UserText | Sentence | EndOfTurn) -> None:
        if not self.audio.offer(*messages):  # it became full just now
            messages[0].turn.interrupt("too much audio is waiting")

    def _stage_failed(self, stage: BaseHandler[Any], error: Exception) -> None:
        """End the session, which is useless without this stage."""
        self.report(stage.name, error)
        self.close(f"{stage.name} failed")

    def _ended(self) -> None:
        self.turns.close("the session ended")  # turns that began after the stages had ended
        self._state = SessionState.CLOSED
        self.events.emit(SessionEnded(self._end_reason))
        self.events.close()
        self.on_closed()
