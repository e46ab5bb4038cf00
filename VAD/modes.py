"""Modes: rules for the beginning and end of an utterance, and for its effect on a reply.

Push-to-talk signals switch between `HandsFree` and `ByHand`; the reply mode ``stream`` replaces these
two by `Streaming` and `StreamingByHand`.
"""

import math
from collections.abc import Callable

from pipeline.messages import Samples
from pipeline.playout import FLOOR_S
from pipeline.session import Session
from pipeline.turn import Turn
from VAD.endpointer import PHRASE_PAUSE_MS, Endpointer, Voice
from VAD.turn_end_policy import TurnEndPolicy

MAX_UTTERANCE_S = 60.0
"""Longest utterance: people do not speak for a minute without a pause of half a second, but a radio
does. If `max_speech_ms` is not set, this bounds the memory of a session and the time for which it keeps
other sessions from the recognizer."""

MAX_PHRASE_S = 10.0
"""Longest phrase in the reply mode ``stream``: a listener will not wait longer for an answer to
begin."""


class HandsFree:
    """Pauses end the utterance; speech over a reply may interrupt it."""

    believes_onset = False
    """True: every voiced window counts as speech. False: the sound must first prove not to be a click or
    a cough."""
    keeps_silence = False
    """True: silence belongs to the utterance, since it may be a whisper that the recognizer
    understands."""
    ends_at_gap = True
    """True: a gap in the audio ends the utterance."""
    judges = True
    """True: words and sound decide whether speech is meant for the program. False: it always is."""
    joins = True
    """True: if the user goes on before the answer is heard, the new speech is joined with the utterance
    before it."""
    max_utterance_s = MAX_UTTERANCE_S

    def __init__(self, session: Session, policy: TurnEndPolicy) -> None:
        self._session = session
        self._policy = policy

    @property
    def answers_live(self) -> bool:
        """True if the engine gets the audio while the user is still speaking."""
        return False

    @property
    def over_reply(self) -> bool:
        """True if the speech overlaps a reply; its words will decide whether it stops the reply."""
        session = self._session
        return session.settings.interruptible and session.barge_in.overlapping

    @property
    def questionable(self) -> bool:
        """True if the speech, over a reply or while one is awaited, may be no turn: its words decide."""
        return self.over_reply or (self.judges and self._session.barge_in.awaited.pending)

    @property
    def may_guess(self) -> bool:
        """True if a short pause may begin a tentative turn."""
        return not self.questionable

    def patience_ms(self) -> float:
        """Length of the pause that ends the utterance. It is short if a reply waits for its words."""
        return PHRASE_PAUSE_MS if self.questionable else self._policy.patience_ms

    def on_pause(self, said: Callable[[], Samples], rate_hz: int) -> None:
        """Ask the turn detector about the utterance, which `said` returns."""
        self._policy.pause_began(said, rate_hz)

    def on_guess(self, turn: Turn) -> None:
        """Judge the words of the guess, too."""
        self._policy.guessed(turn)

    @property
    def doubts(self) -> bool:
        """True if the user seems to have paused before the end."""
        return not self.questionable and self._policy.is_doubtful

    def tell_reply(
        self, voice: Voice, endpointer: Endpointer, said: Callable[[], Samples], rate_hz: int
    ) -> None:
        """Hold back a reply that has not begun; duck, pause or interrupt one that is being heard. `said`
        returns the speech so far."""
        barge_in = self._session.barge_in
        if voice is Voice.ONSET:
            barge_in.begins()
        if endpointer.in_speech:
            if self.questionable:
                barge_in.goes_on(endpointer.spoken_ms, said, rate_hz)
            floor_s = -math.inf if barge_in.yields_floor else FLOOR_S
            self._session.playout.floor_until(self._session.clock.now() + floor_s)
        elif voice is not Voice.NOTHING:
            if voice is Voice.ENDED and self.questionable and barge_in.hears_words:
                barge_in.waits_for_verdict()
            self._session.playout.floor_until(-math.inf)
        if voice is Voice.REJECTED:
            barge_in.over()


class ByHand(HandsFree):
    """The user signals the beginning and the end of the utterance."""

    believes_onset = True
    keeps_silence = True
    ends_at_gap = False
    judges = False

    def patience_ms(self) -> float:
        """No pause ends the utterance."""
        return math.inf

    doubts = False

    def on_pause(self, said: Callable[[], Samples], rate_hz: int) -> None:
        """Do nothing: the turn detector is not needed."""

    def on_guess(self, turn: Turn) -> None:
        """Do nothing, either."""

    def tell_reply(
        self, voice: Voice, endpointer: Endpointer, said: Callable[[], Samples], rate_hz: int
    ) -> None:
        """Keep the user's floor in silence, too."""
        if not self._session.settings.interruptible:
            return
        self._session.playout.floor_until(self._session.clock.now() + FLOOR_S)
        if endpointer.in_speech and self.over_reply:
            self._session.barge_in.goes_on(endpointer.spoken_ms, said, rate_hz)


class Streaming(HandsFree):
    """Every short pause ends a phrase, which is a turn of its own; nothing interrupts the replies."""

    joins = False
    judges = False
    max_utterance_s = MAX_PHRASE_S
    may_guess = False
    over_reply = False
    doubts = False

    @property
    def answers_live(self) -> bool:
        """True if the engine answers frames, except in half duplex: there the answer would shut the
        microphone before the end of speech could be detected."""
        return self._session.capabilities.frames and self._session.playout.full_duplex

    def patience_ms(self) -> float:
        """Length of the pause between two phrases."""
        return PHRASE_PAUSE_MS

    def tell_reply(
        self, voice: Voice, endpointer: Endpointer, said: Callable[[], Samples], rate_hz: int
    ) -> None:
        """Let replies go on."""


class StreamingByHand(Streaming, ByHand):
    """Phrases as in `Streaming`, between the two signals of `ByHand`."""
