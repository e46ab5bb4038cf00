"""WaitingTurns: the turns whose response the server has not begun."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pipeline.errors import EngineError
from pipeline.turn import Turn
from S2S.realtime.deadline import Deadline, too_late
from S2S.realtime.replies import Replies
from S2S.realtime.requests import Event, SendEvent

MAX_TRIES = 3
"""Attempts to request a response, each refused since another response was just beginning."""

ALREADY_ACTIVE = "conversation_already_has_active_response"


@dataclass(eq=False, slots=True)
class Wait:
    """A turn that waits for its response."""

    turn: Turn
    request: Event | None = None
    """The event that requests the response; None: the server answers by itself."""
    tries: int = 0
    """The number of times that it was sent."""
    deadline: Deadline | None = None
    """The time by which the response is due; None: the request is still to be sent."""


class WaitingTurns:
    """Knows which turn a response belongs to when it begins. A turn that has ended still waits, since
    its response must be recognized as unwanted. Everything happens on the thread of the loop."""

    def __init__(
        self,
        send: SendEvent,
        post: Callable[..., None],
        replies: Replies,
        being_answered: Callable[[], Iterable[Turn]],
    ) -> None:
        self._send = send
        self._post = post
        self._replies = replies
        self._being_answered = being_answered
        """The turns whose response has begun, but is not over."""
        self._waits: list[Wait] = []
        """Requests come in the order in which they were sent, or are to be sent."""
        self._are_named = False
        """True once a response has named the turn whose request it answers, as all others will, too."""

    @property
    def is_any_alive(self) -> bool:
        """True if a response is wanted."""
        return any(wait.turn.alive for wait in self._waits)

    @property
    def requested(self) -> list[int]:
        """The turns whose request was sent, in order."""
        return [wait.turn.number for wait in self._sent]

    def expect(self, turn: Turn) -> None:
        """Note that the server is going to answer `turn` by itself. It would have begun to answer any
        that ended before."""
        for wait in self._expected:
            if not wait.turn.alive:
                self._drop(wait)
        self._wait_for(Wait(turn))

    def request(self, turn: Turn, event: Event) -> None:
        """Request the response of `turn`, now or after the present one."""
        self._waits.append(Wait(turn, event))
        self.send_next()

    def send_next(self) -> None:
        """Send the requests in line up to the first that must wait. An aside waits for nothing."""
        is_held_up = False
        for wait in [wait for wait in self._waits if wait.deadline is None]:
            is_held_up |= wait.turn.alive and self._must_wait(wait)
            if wait.turn.alive and wait.turn.remembered and is_held_up:
                continue
            self._drop(wait)
            if wait.turn.alive and wait.request is not None:
                wait.tries += 1
                self._wait_for(wait)
                self._send(wait.request)

    def claim(self, number: int | None) -> Turn | None:
        """Take the turn of a response that begins: the one with this number if the response has one, or
        else the oldest that the server answers by itself, or else, if this server names no turns, the
        oldest whose request was sent. A response without a number never belongs to a request that is
        still in line."""
        if number is None:
            found = self._expected or ([] if self._are_named else self._sent)
        else:
            found = [wait for wait in self._sent if wait.turn.number == number]
            self._are_named |= bool(found)
        if not found:
            return None
        self._drop(found[0])
        return found[0].turn

    def refused(self, number: int, error: EngineError) -> None:
        """Request the response of a turn again, after the present one and before all others, if the
        server has refused it because of that one. Otherwise, the turn fails."""
        for wait in [wait for wait in self._sent if wait.turn.number == number]:
            self._drop(wait)
            if error.code == ALREADY_ACTIVE and wait.tries < MAX_TRIES:
                self._waits.insert(0, wait)
            else:
                self._replies.fail(wait.turn, error)
            self.send_next()

    def drop(self, turn: Turn) -> None:
        """Let a turn wait no more: the server has taken it back."""
        for wait in self._of(turn):
            self._drop(wait)

    def withdraw(self, turn: Turn) -> None:
        """Never send the request of a turn that has ended, unless it was sent."""
        for wait in self._of(turn):
            if wait.deadline is None:
                self._drop(wait)

    def drop_all(self) -> list[Turn]:
        """Let no turn wait any more. Returns them."""
        waits = list(self._waits)
        for wait in waits:
            self._drop(wait)
        return [wait.turn for wait in waits]

    # ----------------------------------------------------------------------------------------------

    @property
    def _expected(self) -> list[Wait]:
        return [wait for wait in self._waits if wait.request is None]

    @property
    def _sent(self) -> list[Wait]:
        return [wait for wait in self._waits if wait.request is not None and wait.deadline is not None]

    def _of(self, turn: Turn) -> list[Wait]:
        return [wait for wait in self._waits if wait.turn is turn]

    def _must_wait(self, wait: Wait) -> bool:
        """True if another response of the conversation comes first. One that nobody wants any more does
        so only if this request was refused because of it, or could be given its answer by mistake."""
        if not wait.turn.remembered:
            return False
        heeds_all = wait.tries > 0 or not self._are_named
        turns = [*(sent.turn for sent in self._sent), *self._being_answered()]
        return any(turn.remembered and (turn.alive or heeds_all) for turn in turns)

    def _wait_for(self, wait: Wait) -> None:
        wait.deadline = Deadline(lambda: self._post(self._stalled, wait))
        self._waits.append(wait)

    def _stalled(self, wait: Wait) -> None:
        """The response of a turn did not begin in time."""
        if wait in self._waits:  # or it began just now
            self._drop(wait)
            self._replies.fail(wait.turn, too_late())
            self.send_next()

    def _drop(self, wait: Wait) -> None:
        self._waits.remove(wait)
        if wait.deadline is not None:
            wait.deadline.cancel()
            wait.deadline = None
