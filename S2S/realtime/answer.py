"""Answer: one response of the server, and the turn whose reply it is."""

from collections import deque

from pipeline.audio import WholeSamples
from pipeline.messages import COMPLETE, EndOfTurn, Speech, ToolCall
from pipeline.turn import Turn
from S2S.captions import Captions


class Answer:
    """The parts of a response that came so far. `response` is its id at the server; empty: the turn gets
    none."""

    def __init__(self, turn: Turn, response: str) -> None:
        self.turn = turn
        self.response = response
        self.is_over = False
        self.waiting: deque[Speech | EndOfTurn] = deque()
        """Messages for the playout, until earlier answers are complete."""
        self.weight_s = 0.0
        """Seconds of speech that came."""
        self.items: dict[str, int] = {}
        """Item ▶ samples that came of it."""
        self.captions = Captions(turn.settings.language)
        self.calls: dict[str, ToolCall] = {}
        """Item ▶ the call in it."""
        self.whole = WholeSamples()
        self.end = COMPLETE
