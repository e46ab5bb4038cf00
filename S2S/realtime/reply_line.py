"""ReplyLine: the way of the answers to the playout, one complete answer after another."""

from collections import deque

from pipeline.channel import Channel
from pipeline.messages import EndOfTurn, Speech
from S2S.realtime.answer import Answer


class ReplyLine:
    """Answers in the order in which they began. A server may send several at once, so all but the first
    wait until the playout has the ones before. The channel has no bound, so nothing here waits."""

    def __init__(self, speech: Channel[Speech | EndOfTurn]) -> None:
        self._speech = speech
        self._line: deque[Answer] = deque()

    @property
    def is_empty(self) -> bool:
        """True if the playout has all answers complete."""
        return not self._line

    def enter(self, answer: Answer) -> None:
        """Let an answer follow the ones before it."""
        self._line.append(answer)

    def put(self, answer: Answer, *messages: Speech | EndOfTurn) -> None:
        """Pass on the next part of an answer when it is its turn."""
        answer.waiting.extend(messages)
        self._pass_on()

    def leave(self, answer: Answer) -> None:
        """Take an answer out: its turn has ended."""
        if answer in self._line:
            self._line.remove(answer)
            self._pass_on()

    def _pass_on(self) -> None:
        while self._line and self._line[0].waiting:
            message = self._line[0].waiting.popleft()
            self._speech.put(message)
            if isinstance(message, EndOfTurn):
                self._line.popleft()
