"""Replies: the way of the answers to the playout, one complete answer after another."""

from collections import deque

from pipeline.channel import Channel
from pipeline.messages import COMPLETE, EndOfTurn, Speech
from pipeline.turn import Turn

STAGE = "s2s"
FAILED = f"{STAGE} failed"
"""Reason of the end of a turn that has failed."""


class Replies:
    """The turns that get a reply and have not ended, in the order in which their replies began. A server
    may send several at once, so all but the first wait until the playout has the ones before. The
    channel has no bound, so nothing here waits."""

    def __init__(self, speech: Channel[Speech | EndOfTurn]) -> None:
        self._speech = speech
        self._waiting: dict[Turn, deque[Speech | EndOfTurn]] = {}
        """Turn ▶ messages that wait until the playout has all of the earlier turns."""
        self._line: deque[Turn] = deque()
        """Turns of which the playout does not have all."""

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def are_complete(self) -> bool:
        """True if the playout has all of them."""
        return not self._line

    def begin(self, turn: Turn) -> None:
        """Let the reply of a turn follow the ones before it, unless the turn has ended."""
        if turn.alive:
            self._waiting[turn] = deque()
            self._line.append(turn)

    def put(self, *messages: Speech | EndOfTurn) -> None:
        """Pass on the next part of the reply of a turn when it is its turn."""
        for message in messages:
            if message.turn in self._waiting:
                self._waiting[message.turn].append(message)
        self._pass_on()

    def end(self, turn: Turn, reason: str = COMPLETE) -> None:
        """End a turn that gets no reply."""
        self.begin(turn)
        self.put(EndOfTurn(turn, reason))

    def fail(self, turn: Turn, error: Exception) -> bool:
        """Let a turn that gets no reply fail. Returns False if it has already ended."""
        if turn.alive:
            turn.fail(STAGE, error)
            self.end(turn, FAILED)
            return True
        return False

    def interrupt(self, reason: str) -> None:
        """Stop every reply, heard or not."""
        for turn in list(self._waiting):
            turn.interrupt(reason)

    def leave(self, turn: Turn) -> None:
        """Take a turn out: it has ended."""
        self._waiting.pop(turn, None)
        if turn in self._line:
            self._line.remove(turn)
            self._pass_on()

    def _pass_on(self) -> None:
        while self._line and (waiting := self._waiting[self._line[0]]):
            message = waiting.popleft()
            self._speech.put(message)
            if isinstance(message, EndOfTurn):
                self._line.popleft()
