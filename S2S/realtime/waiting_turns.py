"""WaitingTurns: the turns whose response the server has not begun."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.turn import Turn
from S2S.realtime.deadline import Deadline

SendEvent = Callable[[Mapping[str, Any]], None]


@dataclass(slots=True)
class Request:
    """The request of the response of a turn."""

    turn: Turn
    event: Mapping[str, Any]
    tries: int = 0
    """The number of times that it was sent."""


class WaitingTurns:
    """Knows which turn a response belongs to when it begins. A turn that has ended still waits, since
    its response must be recognized as unwanted. Everything happens on the thread of the loop."""

    def __init__(
        self,
        send: SendEvent,
        being_answered: Callable[[], Iterable[Turn]],
        on_stall: Callable[[Turn], None],
    ) -> None:
        self._send = send
        self._being_answered = being_answered
        """The turns whose response has begun, but is not over."""
        self._on_stall = on_stall
        """Called with a turn whose response did not begin in time; it still waits."""
        self._expected: list[Turn] = []
        """Turns that the server answers by itself, in order."""
        self._sent: dict[int, Request] = {}
        """Turn ▶ the request that was sent, in order."""
        self._line: deque[Request] = deque()
        """Requests that wait for the end of the present response."""
        self._are_named = False
        """True once a response has named the turn whose request it answers, as all others will, too."""
        self._deadlines: dict[Turn, Deadline] = {}
        """Deadlines of the expected and the sent."""

    @property
    def is_any_alive(self) -> bool:
        """True if a response is wanted."""
        return any(turn.alive for turn in self._all())

    @property
    def requested(self) -> list[int]:
        """The turns whose request was sent, in order."""
        return list(self._sent)

    def expect(self, turn: Turn) -> None:
        """Note that the server is going to answer `turn` by itself. It would have begun to answer any
        that ended before."""
        for ended in [each for each in self._expected if not each.alive]:
            self.drop(ended)
        self._expected.append(turn)
        self._wait_for(turn)

    def request(self, turn: Turn, event: Mapping[str, Any]) -> None:
        """Request the response of `turn`, now or after the present one."""
        self._line.append(Request(turn, event))
        self.send_next()

    def repeat(self, request: Request) -> None:
        """Request a response again, after the present one and before all others."""
        self._line.appendleft(request)
        self.send_next()

    def send_next(self) -> None:
        """Send the requests in line up to the first that must wait. An aside waits for nothing."""
        is_held_up = False
        for request in list(self._line):
            turn = request.turn
            is_held_up |= turn.alive and self._must_wait(request)
            if turn.alive and turn.remembered and is_held_up:
                continue
            self._line.remove(request)
            if turn.alive:
                self._request(request)

    def claim(self, number: int | None) -> Turn | None:
        """Take the turn of a response that begins: the one with this number if the response has one, or
        else the oldest that the server answers by itself, or else, if this server names no turns, the
        oldest whose request was sent. A response without a number never belongs to a request that is
        still in line."""
        if number is not None:
            sent = self._sent.get(number)
            self._are_named |= sent is not None
        elif self._expected:
            turn = self._expected[0]
            self.drop(turn)
            return turn
        elif self._are_named:
            sent = None
        else:
            sent = next(iter(self._sent.values()), None)
        if sent is None:
            return None
        self.drop(sent.turn)
        return sent.turn

    def refused(self, number: int) -> Request | None:
        """Take the request of a turn, which the server has refused."""
        request = self._sent.get(number)
        if request is not None:
            self.drop(request.turn)
        return request

    def drop(self, turn: Turn) -> bool:
        """Let a turn wait no more. Returns False if it did not."""
        did_wait = turn in self._all()
        self._expected = [each for each in self._expected if each is not turn]
        self._sent.pop(turn.number, None)
        self.drop_from_line(turn)
        if (deadline := self._deadlines.pop(turn, None)) is not None:
            deadline.cancel()
        return did_wait

    def drop_from_line(self, turn: Turn) -> None:
        """Never send the request of `turn`, unless it was sent."""
        self._line = deque(request for request in self._line if request.turn is not turn)

    def drop_all(self) -> list[Turn]:
        """Let no turn wait any more. Returns them."""
        turns = self._all()
        for turn in turns:
            self.drop(turn)
        return turns

    def _must_wait(self, request: Request) -> bool:
        """True if another response of the conversation comes first. One that nobody wants any more does
        so only if this request was refused because of it, or could be given its answer by mistake."""
        if not request.turn.remembered:
            return False
        heeds_all = request.tries > 0 or not self._are_named
        turns = [*(sent.turn for sent in self._sent.values()), *self._being_answered()]
        return any(turn.remembered and (turn.alive or heeds_all) for turn in turns)

    def _request(self, request: Request) -> None:
        request.tries += 1
        self._sent[request.turn.number] = request
        self._wait_for(request.turn)
        self._send(request.event)

    def _all(self) -> list[Turn]:
        requests = [*self._sent.values(), *self._line]
        return [*self._expected, *(request.turn for request in requests)]

    def _wait_for(self, turn: Turn) -> None:
        self._deadlines[turn] = Deadline(lambda: self._on_stall(turn))
