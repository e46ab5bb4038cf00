"""Listener: finds utterances in judged windows, and begins, commits and drops their turns."""

import math
from collections.abc import Callable

from pipeline.audio import rms
from pipeline.errors import EngineError
from pipeline.events import InputLevel, SpeechCancelled, SpeechEnded, SpeechStarted, TurnPending
from pipeline.messages import AudioBlock, JudgedWindow, ManualTurn, ManualTurnSignal, Samples, Utterance
from pipeline.session import Session
from pipeline.settings import EndpointerSettings
from pipeline.turn import Origin
from VAD.base import PartialListener
from VAD.endpointer import PHRASE_PAUSE_MS, Endpointer, Voice
from VAD.modes import ByHand, HandsFree, Streaming, StreamingByHand
from VAD.speech_turns import Beginning, Messages, SpeechTurns
from VAD.turn_end_policy import HEARD_SILENCE_MS, TurnEndPolicy
from VAD.utterance_buffer import UtteranceBuffer

MAX_GUESS_S = 15.0
"""A longer utterance is recognized once, when it is over: each guess would recognize all of it again."""

LEVEL_WINDOWS = 3
"""Windows between two reports of the input level: ten a second, which is enough for a meter."""


class Listener:
    """Finds the utterances of one user.

    A long enough pause, or a signal from the user, ends an utterance (`VAD/modes.py`); then its turn is
    committed. To save time, a *tentative* turn begins at the first short pause, and is dropped if the
    user goes on. If the user goes on after the commit, but before the answer is heard, the turn is
    replaced by one that carries both parts.

    Not a thread and not a stage: `hear` returns the messages for the next stage at once. `window` is the
    sample rate and the size of one window in samples.
    """

    def __init__(
        self,
        session: Session,
        window: tuple[int, int],
        settings: EndpointerSettings,
        turn_ends: TurnEndPolicy,
        has_room: Callable[[], bool] = lambda: True,
        partials: PartialListener | None = None,
    ) -> None:
        self._session = session
        self._rate_hz, self._window = window
        self._configured = settings
        self._policy = turn_ends
        self._modes = {
            ("turn", False): HandsFree(session, self._policy),
            ("turn", True): ByHand(session, self._policy),
            ("stream", False): Streaming(session, self._policy),
            ("stream", True): StreamingByHand(session, self._policy),
        }
        self._by_hand = False
        self._doubts = False
        self._turns = SpeechTurns(session, has_room, self._utterance_so_far)
        self._partials = partials
        self._next_sample = 0
        self._captured_until = session.now()
        self._endpoint_by(settings)

    @property
    def in_speech(self) -> bool:
        """True if the user is speaking, or may be starting to."""
        return self._endpointer.in_speech

    @property
    def listens(self) -> bool:
        """True if windows are to be judged now."""
        return self._by_hand or self._session.settings.hands_free

    def hear(self, message: JudgedWindow | ManualTurnSignal) -> Messages:
        """Take the next window or signal. Returns the messages that follow from it."""
        if isinstance(message, ManualTurnSignal):
            return self._obey(message)
        block, probability = message.block, message.speech_probability
        if block.start_sample // self._window % LEVEL_WINDOWS == 0:
            self._report_level(block)
        if probability is not None:
            return self._hear_window(block, probability)
        if self.in_speech:  # the session has just stopped being hands-free
            self._take_back()
        return []

    def finish(self) -> Messages:
        """Commit the open utterance, since the input has ended."""
        self._session.barge_in.over()
        self._yield_floor()
        return self._speech_ended() if self._endpointer.confirmed else []

    # -- windows -----------------------------------------------------------------------------------

    def _hear_window(self, block: AudioBlock, probability: float) -> Messages:
        out: Messages = []
        samples, mode = block.samples, self._mode
        if block.start_sample != self._next_sample:
            out += self._skip(block.start_sample - self._next_sample)
        self._next_sample = block.start_sample + len(samples)
        self._captured_until = block.captured_at + self._window / self._rate_hz
        if not self._endpointer.in_speech:
            self._follow_settings()
        endpointer = self._endpointer
        if endpointer.in_speech and probability < self._settings.thresh:
            endpointer.patience_ms = mode.patience_ms()
        voice = endpointer.step(probability)
        if voice is Voice.ONSET:
            self._utterance.begin(samples)
            if mode.believes_onset:
                endpointer.confirm()
                voice = Voice.CONFIRMED
        elif endpointer.in_speech or voice is Voice.ENDED:
            self._utterance.grow(samples)
        else:
            self._utterance.keep(samples)
        self._part_from_answered()
        mode.tell_reply(voice, endpointer, self._stretch, self._rate_hz)
        if self._turns.live is not None:
            out += self._turns.live_block(samples, self._rate_hz)
        out += self._react(voice, mode)
        self._tell_doubt(voice, mode)
        voiced = mode.keeps_silence or endpointer.end == endpointer.windows
        if self._partials is not None and voiced and endpointer.confirmed:
            self._partials.grow(self._utterance.length, self._said, self._rate_hz)
        return out

    def _tell_doubt(self, voice: Voice, mode: HandsFree) -> None:
        """Report when the program begins to wait for the rest of an utterance, and when it comes."""
        endpointer = self._endpointer
        paused_ms = 1000 * self._trailing() * self._window / self._rate_hz
        doubts = endpointer.confirmed and paused_ms >= PHRASE_PAUSE_MS and mode.doubts
        if doubts != self._doubts:
            self._doubts = doubts
            if doubts:
                self._session.events.emit(TurnPending(True, mode.patience_ms() - paused_ms))
            elif voice is Voice.RESUMED:
                self._session.events.emit(TurnPending(False, 0.0))

    def _react(self, voice: Voice, mode: HandsFree) -> Messages:
        if voice is Voice.CONFIRMED:
            return self._speech_started()
        if voice is Voice.PAUSED and mode.may_guess:
            if self._partials is not None:
                self._partials.pause()
            mode.on_pause(self._said_before_pause, self._rate_hz)
            return self._guess()
        if voice is Voice.RESUMED:
            self._policy.pause_ended()
            self._turns.drop_guess()
        elif voice is Voice.ENDED:
            return self._speech_ended()
        else:
            longest = min(self._max_samples, mode.max_utterance_s * self._rate_hz)
            if self._utterance.length >= longest and self._endpointer.confirmed:
                return self._speech_ended(went_on=True)
        return []

    def _skip(self, samples: int) -> Messages:
        """Skip `samples` that were not listened to; as a rule such a gap ends the utterance."""
        if not self._mode.ends_at_gap:
            return []
        out = self._speech_ended() if self._endpointer.confirmed else []
        self._yield_floor()
        self._endpointer.skip(samples // self._window)
        self._turns.drop_guess()
        self._utterance.forget()
        return out

    def _follow_settings(self) -> None:
        """Apply changed settings of the session; called between two utterances."""
        session = self._session.settings
        wanted = (session.endpointing or self._configured).with_patience(session.patience)
        if wanted != self._settings:
            self._turns.stand_alone()
            self._endpoint_by(wanted)

    def _endpoint_by(self, settings: EndpointerSettings) -> None:
        self._settings = self._policy.settings = settings
        self._endpointer = Endpointer(settings, 1000 * self._window / self._rate_hz)
        self._utterance = UtteranceBuffer(self._rate_hz, self._windows_in(settings.speech_pad_ms))
        self._max_samples = settings.max_speech_ms / 1000 * self._rate_hz

    @property
    def _mode(self) -> HandsFree:
        return self._modes[self._session.settings.reply_mode, self._by_hand]

    # -- by hand -----------------------------------------------------------------------------------

    def _obey(self, signal: ManualTurnSignal) -> Messages:
        out: Messages = []
        match signal.action:
            case ManualTurn.START:
                out = self._start_by_hand(signal.at_sample)
            case ManualTurn.COMMIT:
                out = self._commit_by_hand()
            case ManualTurn.CANCEL:
                self._take_back()
        self._by_hand = signal.action is ManualTurn.START
        return out

    def _start_by_hand(self, at_sample: int) -> Messages:
        """Begin an utterance with the next voiced window, or go on with the one that has begun."""
        if self._endpointer.confirmed:
            return []
        if self._endpointer.in_speech:
            self._endpointer.confirm()
            return self._speech_started()
        self._endpointer.skip((at_sample - self._next_sample) // self._window)
        self._next_sample = at_sample
        self._utterance.forget()
        return []

    def _commit_by_hand(self) -> Messages:
        if self._endpointer.in_speech:
            begun = [] if self._endpointer.confirmed else self._speech_started()
            self._yield_floor()
            ended = self._speech_ended()
            self._utterance.forget()  # else speech that follows at once would repeat its end
            return begun + ended
        self._yield_floor()
        if self._mode.joins:  # in the stream mode, the last phrase may have ended by itself
            error = EngineError("expected speech before it is committed, got none", code="nothing_said")
            self._session.report("vad", error)
        return []

    def _take_back(self) -> None:
        """Forget the utterance in progress."""
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

    def _speech_started(self) -> Messages:
        start = self._next_sample - self._window * (self._endpointer.windows - self._endpointer.start)
        self._session.events.emit(SpeechStarted(start))
        match self._turns.begin(judged=self._mode.judges and self._session.barge_in.judges):
            case Beginning.ALONE:
                self._utterance.forget_before()
            case Beginning.MAY_GO_ON:
                self._utterance.settle_before()
            case Beginning.AFTER_NOISE:
                self._utterance.leave_out_last()
        self._begin_partials()
        return self._turns.begin_live(self._said(), self._rate_hz) if self._mode.answers_live else []

    def _guess(self) -> Messages:
        short = self._utterance.length < MAX_GUESS_S * self._rate_hz
        guess = self._turns.guess() if self._settings.speculate and short else None
        if guess is None:
            return []
        self._mode.on_guess(guess.turn)
        return [guess]

    def _speech_ended(self, *, went_on: bool = False) -> Messages:
        """Commit the utterance. If it was only cut because it was too long, and the user `went_on`, the
        rest becomes a turn of its own: joined again, it would grow without end and never be answered."""
        mode = self._mode
        self._begin_partials()
        self._session.events.emit(SpeechEnded(self._next_sample - self._trailing() * self._window))
        out = self._turns.end_live()
        if out is None:
            trailing_ms = 1000 * self._trailing() * self._window / self._rate_hz
            whispered = mode.keeps_silence and trailing_ms > self._settings.min_silence_ms
            out = self._turns.commit(anew=went_on or whispered, questionable=mode.questionable)
        self._policy.pause_ended()
        self._utterance.end(self._trailing())
        self._endpointer.in_speech = False
        if went_on:
            self._utterance.forget()
        if went_on or not mode.joins:
            self._turns.stand_alone()
            self._utterance.forget_before()
        return out

    def _utterance_so_far(self, overlaps: bool) -> Utterance:
        """Put the utterance up to now into a new tentative turn."""
        self._part_from_answered()
        awaited = self._session.barge_in.awaited
        if not overlaps and awaited.pending:  # it began uncertain, and goes on by push-to-talk
            awaited.drop()
        turn = self._session.begin_turn(Origin.SPEECH)
        turn.mark("speech_end", self._captured_until - self._trailing() * self._window / self._rate_hz)
        earlier = awaited.turn if overlaps else None
        settled = 0 if earlier is None else self._utterance.settled
        before = self._utterance.before_samples - settled
        spoken_ms = self._endpointer.spoken_ms + 1000 * before / self._rate_hz
        noise = self._mode.judges
        said = self._said()
        return Utterance(turn, said, self._rate_hz, spoken_ms, overlaps, noise, earlier, settled)

    def _said(self) -> Samples:
        return self._utterance.samples(0 if self._mode.keeps_silence else self._trailing())

    def _part_from_answered(self) -> None:
        """Leave out the speech of an earlier turn whose answer has begun: it cannot go on anymore."""
        if self._session.barge_in.awaited.too_late:
            self._session.barge_in.awaited.forget()
            self._utterance.forget_settled()

    def _stretch(self) -> Samples:
        """The speech that is to be judged: without that of a turn whose answer is awaited."""
        return self._said()[self._utterance.settled if self._session.barge_in.awaited.pending else 0 :]

    def _said_before_pause(self) -> Samples:
        return self._utterance.samples(self._trailing(), self._windows_in(HEARD_SILENCE_MS))

    def _windows_in(self, ms: float) -> int:
        return math.ceil(ms * self._rate_hz / (1000 * self._window))

    def _trailing(self) -> int:
        """Number of windows of silence since the last voiced one."""
        return self._endpointer.windows - self._endpointer.end

    def _begin_partials(self) -> None:
        if self._partials is not None:
            self._partials.begin()

    def _yield_floor(self) -> None:
        self._session.playout.floor_until(-math.inf)

    def _report_level(self, block: AudioBlock) -> None:
        events = self._session.events
        if events.wanted(InputLevel):
            events.emit(InputLevel(rms(block.samples)))
