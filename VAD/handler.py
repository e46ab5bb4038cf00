"""VADHandler: hears when the user speaks, and sends on what was said."""

import math
from collections import deque
from collections.abc import Generator
from typing import ClassVar

import numpy as np

from pipeline.events import InputLevel, SpeechEnded, SpeechStarted
from pipeline.handler import BaseHandler
from pipeline.messages import AudioBlock, Samples, Utterance
from pipeline.session import Session
from pipeline.turn import Origin, Turn
from utils.audio import rms
from VAD.base import VoiceDetector
from VAD.endpointer import Endpointer, EndpointerSettings, Voice

LONGEST_UTTERANCE_S = 60.0
"""Nobody speaks for a minute without half a second's pause; a radio does. Where `max_speech_ms` does
not, this bounds the memory of a session, and for how long it keeps the others from the recognizer."""

LONGEST_GAP_S = 0.5
"""Silence kept between the two halves of what the user said when they went on before the answer."""

FLOOR_S = 1.0
"""Who began to speak has the floor for so long after the last window that came: longer than a hiccup of
the network, and short enough to wait for an answer where the microphone was switched off."""

LEVEL_WINDOWS = 3
"""Every how many windows the level is told: ten times a second, as meters do."""


class VADHandler(BaseHandler[AudioBlock]):
    """Begins a turn at the end of each utterance.

    When the user goes on before anything of the answer was heard, that turn is dropped and the next one
    carries what was said in both.
    """

    name: ClassVar[str] = "vad"
    takes = AudioBlock

    def setup(
        self,
        detector: VoiceDetector,
        settings: EndpointerSettings,
        session: Session,
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
        self._endpointer.hurried = self._session.barge_in.overlapping
        voice = self._endpointer.step(self._stream.probability(block.samples))
        self._keep(block.samples, voice)
        if voice is Voice.CONFIRMED:
            self._speech_started()
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

    def _speech_ended(self, *, went_on: bool = False) -> Generator[Utterance, None, None]:
        """Make a turn of it. If the user `went_on`, and was only cut, what follows is a turn of its own;
        joined again, utterances would grow without end while no answer comes."""
        trailing = self._endpointer.windows - self._endpointer.end
        kept = self._spoken[: len(self._spoken) - max(0, trailing - self._pad)]
        self._spoken = []
        self._endpointer.in_speech = False
        audio = np.concatenate((*self._said_before, *kept))
        spoken_ms = self._endpointer.spoken_ms + sum(map(len, self._said_before)) * 1000 / self._rate_hz
        self._session.events.emit(SpeechEnded(self._next_sample - trailing * self._window))
        turn = self._session.begin_turn(Origin.SPEECH)
        turn.mark("speech_end", self._captured_until - trailing * self._window / self._rate_hz)
        turn.mark("endpoint")
        self._pending, self._said_before = turn, (audio, self._gap)
        if went_on:
            self._pending, self._said_before = None, ()
            self._latest.clear()  # what is in it was said already
        barge_in = self._session.barge_in
        overlaps = barge_in.overlapping and barge_in.hears_words
        if overlaps:
            barge_in.waits_for_verdict()
        else:
            turn.commit()
            barge_in.over()
        yield Utterance(turn, audio, self._rate_hz, spoken_ms, overlaps)

    def _tell_level(self, window: Samples) -> None:
        events = self._session.events
        if events.shows_level and self._endpointer.windows % LEVEL_WINDOWS == 0:
            events.emit(InputLevel(rms(window)))
