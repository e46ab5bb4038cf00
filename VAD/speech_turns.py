"""SpeechTurns: the turns of what one user says."""

from collections.abc import Callable
from typing import TypeAlias

from pipeline.messages import EndOfTurn, Samples, Utterance, VoiceBlock
from pipeline.session import Session
from pipeline.turn import Origin, Turn

MAX_STARTS = 3
"""Tentative turns for one utterance. Who pauses so often is thinking, not ending."""

Heard: TypeAlias = list[Utterance | VoiceBlock | EndOfTurn]
"""What is to be sent on. A list, so that everything is decided before anything is sent."""


class SpeechTurns:
    """A *guess* is the tentative turn of an utterance that may be over; the *latest* is the committed
    one of what was said last, which is joined with what is said before its answer; the *live* one is
    answered frame by frame while the user speaks.

    `make_utterance` puts what was said up to now into a new turn; it is told whether it was said over a
    reply.
    """

    def __init__(
        self, session: Session, has_room: Callable[[], bool], make_utterance: Callable[[bool], Utterance]
    ) -> None:
        self._session = session
        self._has_room = has_room
        self._make_utterance = make_utterance
        self._starts = 0
        self._guess: Turn | None = None
        self._latest: Turn | None = None
        self._live: Turn | None = None

    def begin(self) -> bool:
        """The user speaks. Whether they go on with what they said last, since nothing of the answer was
        heard: that turn is dropped, and the next one carries both."""
        latest, self._latest = self._latest, None
        self._starts = 0
        return latest is not None and latest.drop("the user went on")

    def guess(self) -> Heard:
        """Perhaps that was all: begin to work on it, within bounds."""
        if self._starts >= MAX_STARTS or not self._has_room():
            return []
        self._starts += 1
        utterance = self._make_utterance(False)
        self._guess = utterance.turn
        return [utterance]

    def drop_guess(self) -> None:
        """It was not all."""
        if self._guess is not None:
            self._guess.drop("the user went on")
            self._guess = None

    def commit(self, *, anew: bool, over_reply: bool) -> Heard:
        """That was all: what was guessed holds, unless more came and it is made `anew`. Said over a
        reply it is open whether it is a turn: its words will decide."""
        barge_in, heard, turn = self._session.barge_in, Heard(), self._guess
        waits = over_reply and barge_in.hears_words
        if anew or waits or turn is None or not turn.alive:
            self.drop_guess()
            utterance = self._make_utterance(waits)
            heard, turn = [utterance], utterance.turn
        self._guess, self._latest = None, turn
        turn.mark("endpoint")
        if waits:
            barge_in.waits_for_verdict()
        else:
            turn.commit()
            barge_in.over()
        return heard

    def stand_alone(self) -> None:
        """What was said last is not joined with what follows."""
        self._latest = None

    def begin_live(self, samples: Samples, rate_hz: int) -> Heard:
        """Answer while the user speaks, beginning with what they have said."""
        self._live = self._session.begin_turn(Origin.SPEECH)
        self._live.commit()
        return self.live_block(samples, rate_hz)

    def live_block(self, samples: Samples, rate_hz: int) -> Heard:
        """They speak on."""
        live = self._live
        return [] if live is None or not live.alive else [VoiceBlock(live, samples, rate_hz)]

    def end_live(self) -> Heard | None:
        """They have finished. None: nobody was answering."""
        live, self._live = self._live, None
        return None if live is None else [EndOfTurn(live, "complete")]

    def take_back(self) -> None:
        """What is being said was not meant."""
        self.drop_guess()
        if self._live is not None:
            self._live.interrupt("taken back")
            self._live = None
