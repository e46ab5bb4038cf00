"""DuplexHandler: the stage of a full-duplex model, one frame in, one frame out."""

import functools
import math
from collections.abc import Generator
from typing import ClassVar

import numpy as np

from pipeline.audio import rms
from pipeline.events import InputLevel
from pipeline.handler import BaseHandler
from pipeline.loudness import QUIET_RMS
from pipeline.messages import (
    COMPLETE,
    AudioBlock,
    EndOfTurn,
    ManualTurn,
    ManualTurnSignal,
    Notice,
    Samples,
    Speech,
)
from pipeline.places import Places
from pipeline.session import Session
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken, Origin, Turn
from S2S.base import DuplexModel
from S2S.duplex_state import DuplexState

LATENCY_FRAMES = 2
"""Frames from the capture of a sample until its answer is due: one in which the rest of its frame is
captured, and one in which the model computes. A model that needs longer is slower than real time."""

HANG_S = 10.0
"""Time after which a frame counts as lost. By then the microphone's backlog (5 s) has overflowed, so
the model has missed part of what was said. The first frame may take longer: a GPU captures graphs."""

TAIL_S = 10.0
"""Longest silence that a model is fed when the input has ended, so that it can finish its sentence. A
longer answer is cut off: the model may never stop."""

TAIL_QUIET_S = 2.0
"""Silence of the model after which its answer counts as finished: answers begin within a second, and
their pauses are shorter than that."""

FIRST_PAUSE_S, MAX_PAUSE_S = 1.0, 60.0
"""Pause after a failure, during which the model is not called; it doubles with each failure, so that a
broken model does not flood the client with errors."""

RECOVERED_S = 10.0
"""Audio that a state must have answered for the model to count as working again."""

ECHO = Notice(
    "echo",
    "this model listens while it speaks, and would hear itself: use headphones, or a client that "
    "cancels the echo",
)


class DuplexHandler(BaseHandler[AudioBlock | ManualTurnSignal]):
    """Serves every full-duplex model. See the table in docs/architecture.md.

    All that the model says belongs to one open-ended turn. If that is interrupted, or fails, another
    begins with the next frame. An interruption leaves the model's state as it is, a failure discards it:
    the next frame opens a new one, in the same place.
    """

    name: ClassVar[str] = "s2s"
    takes = (AudioBlock, ManualTurnSignal)

    def setup(self, model: SharedEngine[DuplexModel], places: Places, session: Session) -> None:
        info = model.engine.info
        self._rate_hz = info.sample_rate_hz
        self._frame_s = info.frame_samples / info.sample_rate_hz
        self._silence = np.zeros(info.frame_samples, np.float32)
        self._model = model
        self._session = session
        self._state = DuplexState(places)
        self._turn: Turn | None = None
        self._user_talks = False
        self._next_at = -math.inf
        self._failures = 0
        self._paused_until = -math.inf

    def process(self, message: AudioBlock | ManualTurnSignal) -> Generator[Speech, None, None]:
        """Feed a frame to the model, and send on its answer."""
        if isinstance(message, ManualTurnSignal):
            self._user_talks = message.action is ManualTurn.START
            return
        if message.captured_at < self._paused_until:
            return
        if self._session.events.wanted(InputLevel):
            self._session.events.emit(InputLevel(rms(message.samples)))
        turn = self._open_turn()
        if turn.alive:
            heard = self._session.settings.hands_free or self._user_talks
            frame = message.samples if heard else self._silence
            yield from self._answer(turn, frame, message.captured_at)

    def finish(self) -> Generator[Speech | EndOfTurn, None, None]:
        """Let the model finish, then end the turn."""
        turn = self._turn
        if turn is None or not turn.alive:
            return
        reason = COMPLETE
        try:
            yield from self._finish_speech(turn)
        except Exception as error:
            turn.fail(self.name, error)
            reason = f"{self.name} failed"
        yield EndOfTurn(turn, reason)

    def failed(self, message: AudioBlock | ManualTurnSignal, error: Exception) -> None:
        """End the turn, and discard the state; after a pause the next frame opens a new one."""
        turn, self._turn = self._turn, None
        assert turn is not None
        if self._state.frames * self._frame_s >= RECOVERED_S:
            self._failures = 0
        pause_s = min(FIRST_PAUSE_S * 2**self._failures, MAX_PAUSE_S)
        self._paused_until = self._next_at + pause_s
        self._failures += 1
        self._state.discard()
        turn.fail(self.name, error)
        if self.queue_out is not None:
            self.queue_out.put(EndOfTurn(turn, f"{self.name} failed"))

    def cleanup(self) -> None:
        """Free the state of the conversation, and its place."""
        state = self._state
        self._model.later(lambda model: state.close())

    def _open_turn(self) -> Turn:
        if self._turn is None or not self._turn.alive:
            is_first = not self._session.has_begun
            self._turn = self._session.begin_turn(Origin.DUPLEX)
            self._turn.mark("frames_start")  # the user's speech has no end, so there is no latency
            self._turn.commit()
            if is_first and not self._session.playout.full_duplex:
                self._session.notices.give(self.name, self._turn, ECHO)
        return self._turn

    def _answer(
        self, turn: Turn, frame: Samples, captured_at: float
    ) -> Generator[Speech, None, tuple[Samples, str | None] | None]:
        """Wait for the audio that follows a frame; returns it with its text. None: the session is
        closing.

        An interruption does not stop the call, since the model must hear every frame once.
        """
        self._next_at = captured_at + self._frame_s
        self._state.expect_returned()
        work = functools.partial(self._compute, frame)
        limit_s = HANG_S if self._state.frames else None
        for samples, text in self._model.stream(work, self._session.closing, limit_s):
            if len(samples) or text is not None:
                due_at = captured_at + LATENCY_FRAMES * self._frame_s
                has_text = text is not None
                yield Speech(turn, samples, self._rate_hz, text, ends_text=has_text, due_at=due_at)
            return samples, text
        return None

    def _compute(
        self, frame: Samples, model: DuplexModel, cancel: CancelToken
    ) -> Generator[tuple[Samples, str | None], None, None]:
        yield self._state.answer(frame, model, self._session.settings, cancel)

    def _finish_speech(self, turn: Turn) -> Generator[Speech, None, None]:
        """Feed silence until the model has finished."""
        quiet_s = left_s = 0.0
        while left_s < TAIL_S and quiet_s < TAIL_QUIET_S:
            answer = yield from self._answer(turn, self._silence, self._next_at)
            if answer is None:
                return
            samples, text = answer
            is_quiet = text is None and rms(samples) < QUIET_RMS
            quiet_s = quiet_s + self._frame_s if is_quiet else 0.0
            left_s += self._frame_s
