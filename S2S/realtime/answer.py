"""Answer: one response of the server, and the turn whose reply it is."""

from collections import deque
from collections.abc import Iterator

import numpy as np

from pipeline.audio import WholeSamples, from_pcm16
from pipeline.messages import COMPLETE, AudioChunk, EndOfTurn, Speech, ToolCall
from pipeline.turn import Turn
from S2S.captions import Captions
from S2S.realtime.deadline import Deadline
from S2S.realtime.events import AudioCame, TextCame
from S2S.realtime.requests import RATE_HZ

STAGE = "s2s"
CHARS_PER_S = 15.0
"""Characters in a second of speech: the rate at which text counts as speech that waits to be heard."""

NOTHING = np.empty(0, np.float32)


class Answer:
    """The parts of a response that have come so far, as they reach the playout. `response` is the
    server's id, `deadline` that of the response; a turn that gets no response has neither."""

    def __init__(self, turn: Turn, response: str = "", deadline: Deadline | None = None) -> None:
        self.turn = turn
        self.response = response
        self.deadline = deadline
        self.is_over = False
        self.waiting: deque[Speech | EndOfTurn] = deque()
        """Messages that wait until the playout has all of the earlier answers."""
        self.weight_s = 0.0
        """Seconds of speech received."""
        self.items: dict[str, int] = {}
        """Item ▶ samples of it received."""
        self.calls: dict[str, ToolCall] = {}
        """Item ▶ the function call in it."""
        self.end = COMPLETE
        self._captions = Captions(turn.settings.language)
        self._whole = WholeSamples()

    def speak(self, event: AudioCame) -> Iterator[Speech]:
        """The speech that some more audio completes."""
        samples = from_pcm16(self._whole.take(event.pcm))
        self.items[event.item] = self.items.get(event.item, 0) + len(samples)
        self.weight_s += len(samples) / RATE_HZ
        self.turn.mark(f"{STAGE}_first")
        self.turn.mark_last(f"{STAGE}_last")
        for piece in self._captions.speak(AudioChunk(samples, RATE_HZ)):
            yield Speech(self.turn, piece.audio.samples, RATE_HZ, piece.text)

    def write(self, event: TextCame) -> Iterator[Speech]:
        """The speech, without audio, of some more text; text that is spoken waits for its audio."""
        self.weight_s += len(event.delta) / CHARS_PER_S
        if event.spoken:
            self._captions.write(event.delta)
        else:
            yield Speech(self.turn, NOTHING, RATE_HZ, event.delta, ends_text=True)

    def finish(self, reason: str) -> Iterator[Speech | EndOfTurn]:
        """The text that is left, and the end."""
        self.is_over = True
        for piece in self._captions.end():
            yield Speech(self.turn, NOTHING, RATE_HZ, piece.text, ends_text=True)
        yield EndOfTurn(self.turn, reason)

    def unheard(self) -> Iterator[tuple[str, int]]:
        """The items of which the user did not hear all, each with the samples that were heard. Its last
        item may still grow until it is over."""
        heard = int(self.turn.heard_ms * RATE_HZ / 1000)
        for item, samples in self.items.items():
            is_growing = not self.is_over and item == next(reversed(self.items))
            if heard < samples or is_growing:
                yield item, heard
            heard = max(0, heard - samples)
