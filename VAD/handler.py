"""VADHandler: hears when the user speaks, and sends on what was said."""

import math
from collections.abc import Callable, Generator
from typing import ClassVar

from pipeline.audio import rms
from pipeline.errors import EngineError
from pipeline.events import InputLevel, SpeechCancelled, SpeechEnded, SpeechStarted
from pipeline.handler import BaseHandler
from pipeline.messages import (
    AudioBlock,
    EndOfTurn,
    ManualTurn,
    ManualTurnSignal,
    Samples,
    Utterance,
    VoiceBlock,
)
from pipeline.playout import FLOOR_S
from pipeline.session import Session
from pipeline.settings import EndpointerSettings
from pipeline.shared_engine import SharedEngine
from pipeline.turn import Origin
from VAD.base import PartialListener, TurnDetector
from VAD.endpointer import PHRASE_PAUSE_MS, Endpointer, Voice
from VAD.shared_vad import SharedVAD
from VAD.speech_turns import Heard, SpeechTurns
from VAD.turn_end_policy import HEARD_SILENCE_MS, TurnEndPolicy
from VAD.utterance_buffer import UtteranceBuffer

MAX_UTTERANCE_S = 60.0
"""Nobody speaks for a minute without half a second's pause; a radio does. Where `max_speech_ms` does
not, this bounds the memory of a session, and for how long it keeps the others from the recognizer."""

MAX_PHRASE_S = 10.0
"""The same where phrases are answered while the user speaks on: nobody listens longer before a word."""

MAX_GUESS_S = 15.0
"""A longer utterance is recognised once, when it is over: each guess would take the recognizer again."""

LEVEL_WINDOWS = 3
"""Every how many windows the level is told: ten times a second, as meters do."""


class VADHandler(BaseHandler[AudioBlock | ManualTurnSignal]):
    """Begins a turn at the end of each utterance.

    When the user goes on before anything of the answer was heard, that turn is dropped and the next one
    carries what was said in both. To save time a turn is begun, tentatively, at the first short pause:
    it is committed when the pause turns out to be the end, and dropped when it does not.

    The end is what a pause says, or what the user says *by hand* (a key, a client's message). In the
    reply mode ``stream`` every short pause ends a phrase, which is a turn of its own; and who answers
    frames gets them while the user is speaking.
    """

    name: ClassVar[str] = "vad"
    takes = (AudioBlock, ManualTurnSignal)

    def setup(
        self,
        shared_vad: SharedVAD,
        settings: EndpointerSettings,
        session: Session,
        has_room: Callable[[], bool] = lambda: True,
        turn_detector: SharedEngine[TurnDetector] | None = None,
        live_transcript: PartialListener | None = None,
    ) -> None:
        self._shared_vad = shared_vad
        self._rate_hz = shared_vad.detector.sample_rate_hz
        self._window = shared_vad.detector.window_samples
        self.stream = shared_vad.detector.open()
        self._probability: float | None = None
        self._session = session
        self._turn_detector = turn_detector
        self._configured = settings
        self._listen_by(settings)
        self._heard_silence = self._windows_in(HEARD_SILENCE_MS)
        self._turns = SpeechTurns(session, has_room, self._utterance_so_far)
        self._live_transcript = live_transcript
        self._next_sample = 0
        self._captured_until = session.now()
        self._by_hand = False
        """Whether the user said that they speak, and will say when they have finished."""

    def process(
        self, message: AudioBlock | ManualTurnSignal
    ) -> Generator[Utterance | VoiceBlock | EndOfTurn, None, None]:
        """Judge one window, or heed the user's hand."""
        if isinstance(message, ManualTurnSignal):
            yield from self._heed(message)
            return
        self._tell_level(message)
        if self._probability is not None:
            yield from self._judge_window(message, self._probability)
        elif self._endpointer.in_speech:  # until now it was hands-free
            self._take_back()

    def finish(self) -> Generator[Utterance | VoiceBlock | EndOfTurn, None, None]:
        """A recording ended: what was begun counts as said."""
        self._session.barge_in.over()
        self._yield_floor()
        if self._endpointer.confirmed:
            yield from self._speech_ended()

    def failed(self, message: AudioBlock | ManualTurnSignal, error: Exception) -> None:
        """A window that cannot be judged is left out."""
        self._session.report(self.name, error)
        self.stream.reset()

    # -- the ears, on whose thread all of this runs --------------------------------------------------

    def _serve_channel(self) -> None:
        self._shared_vad.attend(self)
        self._send(self.finish(), None)

    def to_judge(self, message: AudioBlock | ManualTurnSignal) -> Samples | None:
        """A window, if somebody listens; the stream begins anew where it does not follow on the last."""
        listens = self._by_hand or self._session.settings.hands_free
        if not (isinstance(message, AudioBlock) and listens):
            return None
        if message.start_sample != self._next_sample:
            self.stream.reset()
        return message.samples

    def heard(self, message: AudioBlock | ManualTurnSignal, probability: float | None) -> None:
        self._probability = probability
        self._serve(message)

    # -- windows -----------------------------------------------------------------------------------

    def _judge_window(self, block: AudioBlock, probability: float) -> Heard:
        heard: Heard = []
        if block.start_sample != self._next_sample:
            heard += self._left_out(block.start_sample - self._next_sample)
        self._next_sample = block.start_sample + len(block.samples)
        self._captured_until = block.captured_at + self._window / self._rate_hz
        wanted = self._session.settings.endpointing or self._configured
        if wanted != self._settings and not self._endpointer.in_speech:
            self._turns.stand_alone()
            self._listen_by(wanted)
        self._endpointer.patience_ms = self._patience_ms()
        voice = self._endpointer.step(probability)
        self._utterance.hear(block.samples)
        if voice is Voice.ONSET:
            self._utterance.begin()
            if self._by_hand:  # who says that they speak is not coughing
                self._endpointer.confirm()
                voice = Voice.CONFIRMED
        elif self._endpointer.in_speech or voice is Voice.ENDED:
            self._utterance.grow()
        self._tell_the_reply(voice)
        heard += self._turns.live_block(block.samples, self._rate_hz)
        heard += self._react(voice)
        if self._live_transcript is not None and self._endpointer.confirmed and self._voiced:
            self._live_transcript.grow(len(self._utterance), self._said, self._rate_hz)
        return heard

    def _react(self, voice: Voice) -> Heard:
        if voice is Voice.CONFIRMED:
            return self._speech_started()
        if voice is Voice.PAUSED and not (self._streaming or self._over_reply):
            if not self._by_hand:
                judged = self._utterance.samples(self._trailing(), kept_silence=self._heard_silence)
                self._policy.pause_began(judged, self._rate_hz)
            return self._speculate()
        if voice is Voice.RESUMED:
            self._policy.pause_ended()
            self._turns.drop_guess()
        elif voice is Voice.ENDED:
            return self._speech_ended()
        elif self._endpointer.confirmed and len(self._utterance) >= self._longest:
            return self._speech_ended(went_on=True)
        return []

    def _tell_the_reply(self, voice: Voice) -> None:
        """One that has not begun waits; one that is heard may have to stop."""
        interruptible = self._session.settings.interruptible
        if self._streaming or (self._by_hand and not interruptible):
            return
        if self._endpointer.in_speech or self._by_hand:
            self._session.playout.floor_until(self._session.now() + FLOOR_S)
        if self._endpointer.in_speech and interruptible:
            self._session.barge_in.goes_on(self._endpointer.spoken_ms)
        elif not self._endpointer.in_speech and voice is not Voice.NOTHING:
            self._yield_floor()
        if voice is Voice.REJECTED:
            self._session.barge_in.over()

    def _listen_by(self, settings: EndpointerSettings) -> None:
        """From now on, between two utterances."""
        self._settings = settings
        self._endpointer = Endpointer(settings, 1000 * self._window / self._rate_hz)
        self._utterance = UtteranceBuffer(self._rate_hz, self._windows_in(settings.speech_pad_ms))
        self._policy = TurnEndPolicy(settings, self._turn_detector, self._session)

    def _left_out(self, samples: int) -> Heard:
        """The microphone was not listened to for a while: what was being said ends here, unless it is
        known to go on."""
        if self._by_hand:
            return []
        heard = self._speech_ended() if self._endpointer.confirmed else []
        self._yield_floor()
        self._endpointer.skip(samples // self._window)
        self._turns.drop_guess()
        self._utterance.forget()
        return heard

    @property
    def _streaming(self) -> bool:
        return self._session.settings.reply_mode == "stream"

    @property
    def _over_reply(self) -> bool:
        """Whether what is said may stop a reply, and it is open whether it does."""
        session = self._session
        return not self._streaming and session.settings.interruptible and session.barge_in.overlapping

    @property
    def _longest(self) -> float:
        """How many samples an utterance may have."""
        most_s = MAX_PHRASE_S if self._streaming else MAX_UTTERANCE_S
        return self._rate_hz * min(self._settings.max_speech_ms / 1000, most_s)

    def _patience_ms(self) -> float:
        """How long a pause ends the utterance now."""
        if self._streaming:
            return PHRASE_PAUSE_MS
        if self._by_hand:
            return math.inf
        if self._over_reply:  # the reply is paused until it is known what this is
            return PHRASE_PAUSE_MS
        return self._policy.patience_ms

    # -- by hand -----------------------------------------------------------------------------------

    def _heed(self, signal: ManualTurnSignal) -> Heard:
        heard: Heard = []
        match signal.talk:
            case ManualTurn.START:
                heard = self._start_by_hand(signal.at_sample)
            case ManualTurn.COMMIT:
                heard = self._commit_by_hand()
            case ManualTurn.CANCEL:
                self._take_back()
        self._by_hand = signal.talk is ManualTurn.START
        return heard

    def _start_by_hand(self, at_sample: int) -> Heard:
        """It begins with the first voice from here on; what is being said already belongs to it."""
        if self._endpointer.confirmed:
            return []
        if self._endpointer.in_speech:
            self._endpointer.confirm()
            return self._speech_started()
        self._endpointer.skip((at_sample - self._next_sample) // self._window)
        self._next_sample = at_sample
        self.stream.reset()
        self._utterance.forget()
        return []

    def _commit_by_hand(self) -> Heard:
        if self._endpointer.in_speech:
            begun = [] if self._endpointer.confirmed else self._speech_started()
            self._yield_floor()
            ended = self._speech_ended()
            self._utterance.forget()  # or who speaks on would say its end once more
            return begun + ended
        self._yield_floor()
        if not self._streaming:  # there the last phrase may have ended by itself
            error = EngineError("expected speech before it is committed, got none", code="nothing_said")
            self._session.report(self.name, error)
        return []

    def _take_back(self) -> None:
        """What is being said was not meant."""
        self._begin_partials()
        if self._endpointer.confirmed:
            self._session.events.emit(SpeechCancelled(self._next_sample))
        self._turns.take_back()
        self._policy.pause_ended()
        self._utterance.forget()
        self._utterance.forget_before()
        self._endpointer.in_speech = False
        self._session.barge_in.over()
        self._yield_floor()

    # -- utterances and their turns ----------------------------------------------------------------

    def _speech_started(self) -> Heard:
        start = self._next_sample - self._window * (self._endpointer.windows - self._endpointer.start)
        self._session.events.emit(SpeechStarted(start))
        if not self._turns.begin():
            self._utterance.forget_before()
        self._begin_partials()
        if not (
            self._streaming and self._session.capabilities.frames and self._session.playout.full_duplex
        ):
            return []  # in half duplex the answer would shut the microphone before the end is heard
        return self._turns.begin_live(self._said(), self._rate_hz)

    def _speculate(self) -> Heard:
        short = len(self._utterance) < MAX_GUESS_S * self._rate_hz
        return self._turns.guess() if self._settings.speculate and short else []

    def _speech_ended(self, *, went_on: bool = False) -> Heard:
        """The utterance is over. If the user `went_on`, and was only cut, what follows is a turn of its
        own; joined again, utterances would grow without end while no answer comes. So are phrases.
        """
        self._begin_partials()
        self._session.events.emit(SpeechEnded(self._next_sample - self._trailing() * self._window))
        heard = self._turns.end_live()
        if heard is None:
            trailing_ms = 1000 * self._trailing() * self._window / self._rate_hz
            whispered = self._by_hand and trailing_ms > self._settings.min_silence_ms
            heard = self._turns.commit(anew=went_on or whispered, over_reply=self._over_reply)
        self._policy.pause_ended()
        self._utterance.end(self._trailing())
        self._endpointer.in_speech = False
        if went_on:
            self._utterance.forget()
        if went_on or self._streaming:
            self._turns.stand_alone()
            self._utterance.forget_before()
        return heard

    def _utterance_so_far(self, overlaps: bool) -> Utterance:
        """What was said up to now, in a turn of its own, which is tentative."""
        turn = self._session.begin_turn(Origin.SPEECH)
        turn.mark("speech_end", self._captured_until - self._trailing() * self._window / self._rate_hz)
        spoken_ms = self._endpointer.spoken_ms + 1000 * self._utterance.before_samples / self._rate_hz
        return Utterance(turn, self._said(), self._rate_hz, spoken_ms, overlaps)

    def _said(self) -> Samples:
        """By hand what was quiet at the end may have been a whisper, and is left to the recognizer."""
        return self._utterance.samples(0 if self._by_hand else self._trailing())

    @property
    def _voiced(self) -> bool:
        """Whether what was heard last belongs to the utterance: silence does if it is spoken after."""
        return self._by_hand or not self._trailing()

    def _windows_in(self, ms: float) -> int:
        return math.ceil(ms * self._rate_hz / (1000 * self._window))

    def _trailing(self) -> int:
        """Windows of silence since the last that was voiced."""
        return self._endpointer.windows - self._endpointer.end

    def _begin_partials(self) -> None:
        if self._live_transcript is not None:
            self._live_transcript.begin()

    def _yield_floor(self) -> None:
        self._session.playout.floor_until(-math.inf)

    def _tell_level(self, block: AudioBlock) -> None:
        events, number = self._session.events, block.start_sample // self._window
        if number % LEVEL_WINDOWS == 0 and events.wanted(InputLevel):
            events.emit(InputLevel(rms(block.samples)))
