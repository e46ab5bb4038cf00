"""VADHandler: hears when the user speaks, and sends on what was said."""

import math
from collections.abc import Callable, Generator
from typing import ClassVar

from pipeline.events import InputLevel, SpeechEnded, SpeechStarted
from pipeline.handler import BaseHandler
from pipeline.messages import AudioBlock, Samples, Utterance
from pipeline.session import Session
from pipeline.shared_engine import SharedEngine
from pipeline.turn import Origin, Turn
from utils.audio import rms
from VAD.base import TurnDetector, VoiceDetector
from VAD.endpointer import SHORT_PAUSE_MS, Endpointer, EndpointerSettings, Voice
from VAD.open_utterance import OpenUtterance
from VAD.turn_judge import TurnJudge

LONGEST_UTTERANCE_S = 60.0
"""Nobody speaks for a minute without half a second's pause; a radio does. Where `max_speech_ms` does
not, this bounds the memory of a session, and for how long it keeps the others from the recognizer."""

FLOOR_S = 1.0
"""Who began to speak has the floor for so long after the last window that came: longer than a hiccup of
the network, and short enough to wait for an answer where the microphone was switched off."""

MOST_STARTS = 3
"""Tentative turns for one utterance. Who pauses so often is thinking, not ending."""

LONGEST_GUESS_S = 15.0
"""A longer utterance is recognised once, when it is over: each guess would take the recognizer again."""

LEVEL_WINDOWS = 3
"""Every how many windows the level is told: ten times a second, as meters do."""


class VADHandler(BaseHandler[AudioBlock]):
    """Begins a turn at the end of each utterance.

    When the user goes on before anything of the answer was heard, that turn is dropped and the next one
    carries what was said in both. To save time a turn is begun, tentatively, at the first short pause:
    it is committed when the pause turns out to be the end, and dropped when it does not.
    """

    name: ClassVar[str] = "vad"
    takes = AudioBlock

    def setup(
        self,
        detector: VoiceDetector,
        settings: EndpointerSettings,
        session: Session,
        has_room: Callable[[], bool] = lambda: True,
        turn_detector: SharedEngine[TurnDetector] | None = None,
    ) -> None:
        self._rate_hz = detector.sample_rate_hz
        self._window = detector.window_samples
        self._stream = detector.open()
        self._session = session
        self._endpointer = Endpointer(settings, 1000 * self._window / self._rate_hz)
        self._longest = self._rate_hz * min(settings.max_speech_ms / 1000, LONGEST_UTTERANCE_S)
        pad_windows = -(-int(settings.speech_pad_ms * self._rate_hz / 1000) // self._window)
        self._utterance = OpenUtterance(self._rate_hz, pad_windows)
        self._judge = TurnJudge(settings, turn_detector, session)
        self._next_sample = 0
        self._captured_until = session.now()
        self._settings = settings
        self._has_room = has_room
        self._tentative: Turn | None = None
        self._starts = 0
        self._pending: Turn | None = None

    def process(self, block: AudioBlock) -> Generator[Utterance, None, None]:
        """Judge one window."""
        if block.start_sample != self._next_sample:
            yield from self._left_out(block.start_sample - self._next_sample)
        self._next_sample = block.start_sample + len(block.samples)
        self._captured_until = block.captured_at + self._window / self._rate_hz
        self._tell_level(block.samples)
        self._endpointer.patience_ms = self._patience_ms()
        voice = self._endpointer.step(self._stream.probability(block.samples))
        self._keep(block.samples, voice)
        if voice is Voice.CONFIRMED:
            self._speech_started()
        elif voice is Voice.PAUSED:
            self._judge.pause_began(self._said(), self._rate_hz)
            yield from self._speculate()
        elif voice is Voice.RESUMED:
            self._judge.pause_ended()
            self._drop_tentative()
        elif voice is Voice.ENDED:
            yield from self._speech_ended()
        elif self._endpointer.confirmed and len(self._utterance) >= self._longest:
            yield from self._speech_ended(went_on=True)
        if self._endpointer.in_speech:
            self._session.playout.floor_until(self._session.now() + FLOOR_S)
            self._session.barge_in.goes_on(self._endpointer.spoken_ms)
        elif voice is not Voice.NOTHING:
            self._yield_floor()
        if voice is Voice.REJECTED:
            self._session.barge_in.over()

    def finish(self) -> Generator[Utterance, None, None]:
        """A recording ended: what was begun counts as said."""
        if self._endpointer.confirmed:
            yield from self._speech_ended()
        else:
            self._session.barge_in.over()
        self._yield_floor()

    def failed(self, message: AudioBlock, error: Exception) -> None:
        """A window that cannot be judged is left out."""
        self._session.report(self.name, error)
        self._stream.reset()

    def _left_out(self, samples: int) -> Generator[Utterance, None, None]:
        """The microphone was not listened to for a while: what was being said ends here."""
        if self._endpointer.confirmed:
            yield from self._speech_ended()
        self._yield_floor()
        self._endpointer.skip(samples // self._window)
        self._drop_tentative()
        self._utterance.forget()
        self._stream.reset()

    def _yield_floor(self) -> None:
        self._session.playout.floor_until(-math.inf)

    def _keep(self, window: Samples, voice: Voice) -> None:
        self._utterance.hear(window)
        if voice is Voice.ONSET:
            self._utterance.begin()
        elif self._endpointer.in_speech or voice is Voice.ENDED:
            self._utterance.grow()

    def _speech_started(self) -> None:
        start = self._next_sample - self._window * (self._endpointer.windows - self._endpointer.start)
        self._session.events.emit(SpeechStarted(start))
        pending, self._pending = self._pending, None
        if pending is None or not pending.drop("the user went on"):
            self._utterance.forget_before()
        self._starts = 0

    def _patience_ms(self) -> float:
        """How long a pause ends the utterance now."""
        if self._session.barge_in.overlapping:  # the reply is paused until it is known what this is
            return SHORT_PAUSE_MS
        return self._judge.patience_ms

    def _speculate(self) -> Generator[Utterance, None, None]:
        """Perhaps that was all: begin to work on it, within bounds."""
        bounded = self._starts < MOST_STARTS and len(self._utterance) < LONGEST_GUESS_S * self._rate_hz
        if self._settings.speculate and bounded and self._has_room():
            self._starts += 1
            utterance = self._utterance_so_far()
            self._tentative = utterance.turn
            yield utterance

    def _drop_tentative(self) -> None:
        if self._tentative is not None:
            self._tentative.drop("the user went on")
            self._tentative = None

    def _speech_ended(self, *, went_on: bool = False) -> Generator[Utterance, None, None]:
        """The utterance is over: commit its turn; if it was said over a reply, its words will decide.

        If the user `went_on`, and was only cut, what follows is a turn of its own; joined again,
        utterances would grow without end while no answer comes.
        """
        self._session.events.emit(SpeechEnded(self._next_sample - self._trailing() * self._window))
        barge_in, utterance, turn = self._session.barge_in, None, self._tentative
        if went_on or turn is None or not turn.alive:
            self._drop_tentative()
            overlaps = barge_in.overlapping and barge_in.hears_words
            utterance = self._utterance_so_far(overlaps=overlaps)
            turn = utterance.turn
        self._tentative = None
        self._judge.pause_ended()
        turn.mark("endpoint")
        self._pending = turn
        self._utterance.end(self._trailing())
        self._endpointer.in_speech = False
        if went_on:
            self._pending = None
            self._utterance.forget()
            self._utterance.forget_before()
        if utterance is not None and utterance.overlaps:
            barge_in.waits_for_verdict()
        else:
            turn.commit()
            barge_in.over()
        if utterance is not None:
            yield utterance

    def _utterance_so_far(self, *, overlaps: bool = False) -> Utterance:
        """What was said up to now, in a turn of its own, which is tentative."""
        turn = self._session.begin_turn(Origin.SPEECH)
        turn.mark("speech_end", self._captured_until - self._trailing() * self._window / self._rate_hz)
        spoken_ms = self._endpointer.spoken_ms + 1000 * self._utterance.before_samples / self._rate_hz
        return Utterance(turn, self._said(), self._rate_hz, spoken_ms, overlaps)

    def _said(self) -> Samples:
        return self._utterance.samples(self._trailing())

    def _trailing(self) -> int:
        """Windows of silence since the last that was voiced."""
        return self._endpointer.windows - self._endpointer.end

    def _tell_level(self, window: Samples) -> None:
        events = self._session.events
        if events.shows_level and self._endpointer.windows % LEVEL_WINDOWS == 0:
            events.emit(InputLevel(rms(window)))
