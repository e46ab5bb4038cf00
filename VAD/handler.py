"""VADHandler: hears when the user speaks, and sends on what was said."""

import math
from collections import deque
from collections.abc import Callable, Generator
from typing import ClassVar

import numpy as np

from pipeline.events import InputLevel, SpeechEnded, SpeechStarted
from pipeline.handler import BaseHandler
from pipeline.messages import AudioBlock, Samples, Utterance
from pipeline.session import Session
from pipeline.shared_engine import SharedEngine
from pipeline.turn import Origin, Turn
from utils.audio import resample, rms
from VAD.base import TurnDetector, VoiceDetector
from VAD.endpointer import SHORT_PAUSE_MS, Endpointer, EndpointerSettings, Voice

LONGEST_UTTERANCE_S = 60.0
"""Nobody speaks for a minute without half a second's pause; a radio does. Where `max_speech_ms` does
not, this bounds the memory of a session, and for how long it keeps the others from the recognizer."""

LONGEST_GAP_S = 0.5
"""Silence kept between the two halves of what the user said when they went on before the answer."""

FLOOR_S = 1.0
"""Who began to speak has the floor for so long after the last window that came: longer than a hiccup of
the network, and short enough to wait for an answer where the microphone was switched off."""

MOST_STARTS = 3
"""Tentative turns for one utterance. Who pauses so often is thinking, not ending."""

LONGEST_GUESS_S = 15.0
"""A longer utterance is recognised once, when it is over: each guess would take the recognizer again."""

PATIENCE_WITH_UNFINISHED = 2
"""Who sounds unfinished is given twice the silence: a second, by default, to find the word."""

LONGEST_JUDGED_S = 8.0
"""What a turn detector hears of an utterance: the window of Smart Turn."""

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
        self._pad = -(-int(settings.speech_pad_ms * self._rate_hz / 1000) // self._window)
        self._longest = self._rate_hz * min(settings.max_speech_ms / 1000, LONGEST_UTTERANCE_S)
        self._latest: deque[Samples] = deque(maxlen=self._pad + 1)
        self._spoken: list[Samples] = []
        self._next_sample = 0
        self._captured_until = session.now()
        self._settings = settings
        self._has_room = has_room
        self._turn_detector = turn_detector
        self._pause = 0
        self._verdict: tuple[int, float] = (-1, 0.0)
        """Of which pause, and how complete what was said before it sounded."""
        self._tentative: Turn | None = None
        self._starts = 0
        self._pending: Turn | None = None
        self._said_before: tuple[Samples, ...] = ()
        self._gap = np.zeros(int(LONGEST_GAP_S * self._rate_hz), np.float32)

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
            self._ask_whether_complete()
            yield from self._speculate()
        elif voice is Voice.RESUMED:
            self._pause += 1
            self._drop_tentative()
        elif voice is Voice.ENDED:
            yield from self._speech_ended()
        elif self._endpointer.confirmed and self._length() >= self._longest:
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
        self._latest.clear()
        self._spoken.clear()
        self._stream.reset()

    def _yield_floor(self) -> None:
        self._session.playout.floor_until(-math.inf)

    def _keep(self, window: Samples, voice: Voice) -> None:
        self._latest.append(window)
        if voice is Voice.ONSET:
            self._spoken = list(self._latest)
        elif self._endpointer.in_speech or voice is Voice.ENDED:
            self._spoken.append(window)

    def _length(self) -> int:
        """Samples of the utterance so far, with what was said before a pause."""
        return len(self._spoken) * self._window + sum(map(len, self._said_before))

    def _speech_started(self) -> None:
        start = self._next_sample - self._window * (self._endpointer.windows - self._endpointer.start)
        self._session.events.emit(SpeechStarted(start))
        pending, self._pending = self._pending, None
        if pending is None or not pending.drop("the user went on"):
            self._said_before = ()
        self._starts = 0

    def _patience_ms(self) -> float:
        """How long a pause ends the utterance now."""
        if self._session.barge_in.overlapping:  # the reply is paused until it is known what this is
            return SHORT_PAUSE_MS
        pause, completeness = self._verdict
        if pause != self._pause:
            return self._settings.min_silence_ms
        if completeness >= self._settings.turn_threshold:
            return SHORT_PAUSE_MS
        return PATIENCE_WITH_UNFINISHED * self._settings.min_silence_ms

    def _ask_whether_complete(self) -> None:
        """The turn detector answers while the pause goes on; the next window will know."""
        if self._turn_detector is None:
            return
        self._pause += 1
        pause, activity = self._pause, self._session.activity
        said = self._said()[-int(LONGEST_JUDGED_S * self._rate_hz) :]
        samples = resample(said, self._rate_hz, self._turn_detector.engine.sample_rate_hz)

        def ask(detector: TurnDetector) -> None:
            try:
                if pause == self._pause:  # else the line was long, and the pause is over
                    self._verdict = pause, detector.completeness(samples)
            finally:
                activity.sleeps()

        activity.woke()
        self._turn_detector.later(ask)

    def _speculate(self) -> Generator[Utterance, None, None]:
        """Perhaps that was all: begin to work on it, within bounds."""
        bounded = self._starts < MOST_STARTS and self._length() < LONGEST_GUESS_S * self._rate_hz
        if self._settings.speculate and bounded and self._has_room():
            self._starts += 1
            utterance = self._utterance()
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
            utterance = self._utterance(overlaps=overlaps)
            turn = utterance.turn
        self._tentative = None
        self._pause += 1
        turn.mark("endpoint")
        self._pending, self._said_before = turn, (self._said(), self._gap)
        self._spoken = []
        self._endpointer.in_speech = False
        if went_on:
            self._pending, self._said_before = None, ()
            self._latest.clear()  # what is in it was said already
        if utterance is not None and utterance.overlaps:
            barge_in.waits_for_verdict()
        else:
            turn.commit()
            barge_in.over()
        if utterance is not None:
            yield utterance

    def _utterance(self, *, overlaps: bool = False) -> Utterance:
        """What was said up to now, in a turn of its own, which is tentative."""
        turn = self._session.begin_turn(Origin.SPEECH)
        turn.mark("speech_end", self._captured_until - self._trailing() * self._window / self._rate_hz)
        spoken_ms = self._endpointer.spoken_ms + sum(map(len, self._said_before)) * 1000 / self._rate_hz
        return Utterance(turn, self._said(), self._rate_hz, spoken_ms, overlaps)

    def _said(self) -> Samples:
        kept = self._spoken[: len(self._spoken) - max(0, self._trailing() - self._pad)]
        return np.concatenate((*self._said_before, *kept))

    def _trailing(self) -> int:
        """Windows of silence since the last that was voiced."""
        return self._endpointer.windows - self._endpointer.end

    def _tell_level(self, window: Samples) -> None:
        events = self._session.events
        if events.shows_level and self._endpointer.windows % LEVEL_WINDOWS == 0:
            events.emit(InputLevel(rms(window)))
