"""Modes: how an utterance begins and ends, and what it may do to a reply.

The user's hands choose between `HandsFree` and `ByHand`, the reply mode ``stream`` between these and
their `Streaming` counterparts.
"""

import math
from collections.abc import Callable

from pipeline.messages import Samples
from pipeline.playout import FLOOR_S
from pipeline.session import Session
from VAD.endpointer import PHRASE_PAUSE_MS, Endpointer, Voice
from VAD.turn_end_policy import TurnEndPolicy

MAX_UTTERANCE_S = 60.0
"""Longest utterance: nobody speaks for a minute without half a second's pause; a radio does. Where
`max_speech_ms` does not, this bounds the memory of a session and the time it keeps other sessions from
the recognizer."""

MAX_PHRASE_S = 10.0
"""Longest phrase in the reply mode ``stream``: nobody listens longer before an answer begins."""


class HandsFree:
    """Pauses end the utterance; speech over a reply may interrupt it."""

    believes_onset = False
    """Voice is speech from its first window on. Otherwise clicks and coughs are told apart first."""
    keeps_silence = False
    """Silence belongs to the utterance: it may be a whisper, which is left to the recognizer."""
    ends_at_gap = True
    """Audio that was left out ends the utterance."""
    joins = True
    """Speech before the answer is heard is joined with the utterance before it."""
    max_utterance_s = MAX_UTTERANCE_S

    def __init__(self, session: Session, policy: TurnEndPolicy) -> None:
        self._session = session
        self._policy = policy

    @property
    def answers_live(self) -> bool:
        """The engine gets the audio while the user is still speaking."""
        return False

    @property
    def over_reply(self) -> bool:
        """Speech now may stop a reply; its words will decide."""
        session = self._session
        return session.settings.interruptible and session.barge_in.overlapping

    @property
    def may_guess(self) -> bool:
        """A short pause may begin a tentative turn."""
        return not self.over_reply

    def patience_ms(self) -> float:
        """Length of the pause that ends the utterance. Over a reply, which is paused until the words are
        known, a short one does."""
        return PHRASE_PAUSE_MS if self.over_reply else self._policy.patience_ms

    def on_pause(self, said: Callable[[], Samples], rate_hz: int) -> None:
        """Ask the turn detector about the utterance, which `said` returns."""
        self._policy.pause_began(said, rate_hz)

    def tell_reply(self, voice: Voice, endpointer: Endpointer) -> None:
        """Hold back a reply that has not begun; duck, pause or interrupt one that is being heard."""
        if endpointer.in_speech:
            self._session.playout.floor_until(self._session.clock.now() + FLOOR_S)
            if self.over_reply:
                self._session.barge_in.goes_on(endpointer.spoken_ms)
        elif voice is not Voice.NOTHING:
            self._session.playout.floor_until(-math.inf)
        if voice is Voice.REJECTED:
            self._session.barge_in.over()


class ByHand(HandsFree):
    """The user said that they speak, and will say when they have finished."""

    believes_onset = True
    keeps_silence = True
    ends_at_gap = False

    def patience_ms(self) -> float:
        """No pause ends the utterance."""
        return math.inf

    def on_pause(self, said: Callable[[], Samples], rate_hz: int) -> None:
        """Ask nobody."""

    def tell_reply(self, voice: Voice, endpointer: Endpointer) -> None:
        """Hold the floor in silence too."""
        if not self._session.settings.interruptible:
            return
        self._session.playout.floor_until(self._session.clock.now() + FLOOR_S)
        if endpointer.in_speech and self.over_reply:
            self._session.barge_in.goes_on(endpointer.spoken_ms)


class Streaming(HandsFree):
    """Every short pause ends a phrase, which is a turn of its own; nothing interrupts the replies."""

    joins = False
    max_utterance_s = MAX_PHRASE_S
    may_guess = False
    over_reply = False

    @property
    def answers_live(self) -> bool:
        """In half duplex the answer would shut the microphone before the end of speech is heard."""
        return self._session.capabilities.frames and self._session.playout.full_duplex

    def patience_ms(self) -> float:
        """The pause between two phrases."""
        return PHRASE_PAUSE_MS

    def tell_reply(self, voice: Voice, endpointer: Endpointer) -> None:
        """Let replies go on."""


class StreamingByHand(Streaming, ByHand):
    """Phrases as in `Streaming`, between the two signals of `ByHand`."""
