"""SpeechTurns: the turns of one user's utterances."""

from collections.abc import Callable
from enum import Enum
from typing import TypeAlias

from pipeline.messages import EndOfTurn, Samples, Utterance, VoiceBlock
from pipeline.session import Session
from pipeline.turn import Origin, Turn, TurnState

MAX_STARTS = 3
"""Tentative turns for one utterance: a user who pauses more often is thinking, not ending."""

Messages: TypeAlias = list[Utterance | VoiceBlock | EndOfTurn]
"""Messages for the next stage. A list, so that all is decided before anything is sent."""


class Beginning(Enum):
    """The relation of a new utterance to the one before it."""

    ALONE = "alone"
    GOES_ON = "goes on"
    """It is joined with the last one, whose answer has not begun."""
    MAY_GO_ON = "may go on"
    """Its words decide whether it is joined with the last one, whose answer has not begun."""
    AFTER_NOISE = "after noise"
    """The last one was no turn; this one may go on with the turn before that."""


class SpeechTurns:
    """Begins, commits and drops the turns of utterances.

    A *guess* is the tentative turn of an utterance that may be over. The *latest* is the committed turn
    of the last utterance, which is joined with speech before its answer is heard. The *live* one is
    answered frame by frame while the user speaks.

    `make_utterance` puts the utterance up to now into a new turn; its argument says whether it was
    spoken over a reply.
    """

    def __init__(
        self, session: Session, has_room: Callable[[], bool], make_utterance: Callable[[bool], Utterance]
    ) -> None:
        self.live: Turn | None = None
        self._session = session
        self._has_room = has_room
        self._make_utterance = make_utterance
        self._starts = 0
        self._guess: Turn | None = None
        self._latest: Turn | None = None

    def begin(self, *, judged: bool) -> Beginning:
        """Note that an utterance begins. If nothing of the last one's answer was heard, the user may be
        going on with it. If that will be `judged` by the words, its turn lives on until then; else it is
        dropped at once. The next turn carries both."""
        latest, self._latest = self._latest, None
        self._starts = 0
        awaited = self._session.barge_in.awaited
        if judged and latest is not None and latest.state is TurnState.COMMITTED:
            awaited.turn = latest
            return Beginning.MAY_GO_ON
        if latest is not None and latest.drop("the user went on"):
            return Beginning.GOES_ON
        if awaited.pending:
            return Beginning.AFTER_NOISE
        awaited.forget()
        return Beginning.ALONE

    def guess(self) -> Utterance | None:
        """Start work on the utterance, which may be over, if the engines have room."""
        if self._starts >= MAX_STARTS or not self._has_room():
            return None
        self._starts += 1
        utterance = self._make_utterance(False)
        self._guess = utterance.turn
        return utterance

    def drop_guess(self) -> None:
        """Drop the guess: the utterance goes on."""
        if self._guess is not None:
            self._guess.drop("the user went on")
            self._guess = None

    def commit(self, *, anew: bool, questionable: bool) -> Messages:
        """Commit the utterance, which is over. The guess becomes its turn, unless more was said since
        and the turn has to be made `anew`. A `questionable` utterance waits for its words, which decide
        whether it is a turn."""
        barge_in, turn = self._session.barge_in, self._guess
        messages: Messages = []
        waits = questionable and barge_in.hears_words
        if anew or waits or turn is None or not turn.alive:
            self.drop_guess()
            utterance = self._make_utterance(waits)
            messages, turn = [utterance], utterance.turn
        self._guess, self._latest = None, turn
        turn.mark("endpoint")
        if not waits:
            turn.commit()
            barge_in.over()
            barge_in.decided()
        return messages

    def stand_alone(self) -> None:
        """Do not join the last utterance with the next."""
        self._latest = None
        self._session.barge_in.awaited.forget()

    def begin_live(self, samples: Samples, rate_hz: int) -> Messages:
        """Begin a turn that is answered while the user speaks, with the speech up to now."""
        self.live = self._session.begin_turn(Origin.SPEECH)
        self.live.commit()
        return self.live_block(samples, rate_hz)

    def live_block(self, samples: Samples, rate_hz: int) -> Messages:
        """Pass on the next window of the live turn."""
        live = self.live
        return [] if live is None or not live.alive else [VoiceBlock(live, samples, rate_hz)]

    def end_live(self) -> Messages | None:
        """End the live turn. None: there was none."""
        live, self.live = self.live, None
        return None if live is None else [EndOfTurn(live, "complete")]

    def take_back(self) -> None:
        """Forget the utterance, which the user has cancelled."""
        self.drop_guess()
        self.stand_alone()
        if self.live is not None:
            self.live.interrupt("taken back")
            self.live = None
