"""Answer: one response of the server, and the turn whose reply it is."""

from collections import deque

from pipeline.audio import WholeSamples
from pipeline.messages import COMPLETE, EndOfTurn, Speech, ToolCall
from pipeline.turn import Turn
from S2S.captions import Captions


class Answer:
    """The parts of a response that have come so far. `response` is the server's id; empty: the turn gets
    no response."""

    def __init__(self, turn: Turn, response: str) -> None:
        self.turn = turn
        self.response = response
        self.is_over = False
        self.waiting: deque[Speech | EndOfTurn] = deque()
        """Messages that wait until the playout has all of the earlier answers."""
        self.weight_s = 0.0
        """Seconds of speech received."""
        self.items: dict[str, int] = {}
        """Item ▶ samples of it received."""
        self.captions = Captions(turn.settings.language)
        self.calls: dict[str, ToolCall] = {}
        """Item ▶ the function call in it."""
        self.whole = WholeSamples()
        self.end = COMPLETE
