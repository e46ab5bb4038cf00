"""Answer: one response of the server, and the turn whose reply it is."""

from collections.abc import Iterator

import numpy as np

from pipeline.audio import WholeSamples, from_pcm16
from pipeline.messages import AudioChunk, EndOfTurn, Speech
from pipeline.turn import Turn
from S2S.captions import Captions
from S2S.realtime.calls import Calls
from S2S.realtime.deadline import Deadline
from S2S.realtime.events import AudioCame, Part, TextCame
from S2S.realtime.replies import STAGE
from S2S.realtime.requests import RATE_HZ

CHARS_PER_S = 15.0
"""Characters in a second of speech: the rate at which text counts as speech that waits to be heard."""

NOTHING = np.empty(0, np.float32)


class Answer:
    """The parts of a response that have come so far, as they reach the playout. `response` is the
    server's id, and `deadline` the time by which more is due."""

    def __init__(self, turn: Turn, response: str, deadline: Deadline, calls: Calls) -> None:
        self.turn = turn
        self.response = response
        self.deadline = deadline
        self.calls = calls
        self.is_over = False
        self.weight_s = 0.0
        """Seconds of speech received."""
        self._items: dict[str, int] = {}
        """Item ▶ samples of it received."""
        self._captions = Captions(turn.settings.language)
        self._whole = WholeSamples()

    def take(self, part: Part) -> Iterator[Speech]:
        """Take the next part. Yields the speech that it completes."""
        match part:
            case AudioCame():
                yield from self._speak(part)
            case TextCame():
                yield from self._write(part)
            case _:
                self.calls.take(part)

    def finish(self, reason: str) -> Iterator[Speech | EndOfTurn]:
        """The text that is left, and the end."""
        self.is_over = True
        for piece in self._captions.end():
            yield Speech(self.turn, NOTHING, RATE_HZ, piece.text, ends_text=True)
        yield EndOfTurn(self.turn, reason)

    def leave_out(self, part: Part) -> Iterator[str]:
        """Leave out a part that nobody wants any more. Yields its item if that is new: it began before
        the server got our request to stop."""
        if isinstance(part, AudioCame) and part.item not in self._items:
            self._items[part.item] = 0
            yield part.item

    def unheard(self) -> Iterator[tuple[str, int]]:
        """The items of which the user did not hear all, each with the samples that were heard. Its last
        item may still grow until it is over."""
        heard = int(self.turn.heard_ms * RATE_HZ / 1000)
        for item, samples in self._items.items():
            is_growing = not self.is_over and item == next(reversed(self._items))
            if heard < samples or is_growing:
                yield item, heard
            heard = max(0, heard - samples)

    def forget_items(self) -> None:
        """Forget the server's items: it has lost them."""
        self._items.clear()

    def _speak(self, event: AudioCame) -> Iterator[Speech]:
        samples = from_pcm16(self._whole.take(event.pcm))
        self._items[event.item] = self._items.get(event.item, 0) + len(samples)
        self.weight_s += len(samples) / RATE_HZ
        self.turn.mark(f"{STAGE}_first")
        self.turn.mark_last(f"{STAGE}_last")
        for piece in self._captions.speak(AudioChunk(samples, RATE_HZ)):
            yield Speech(self.turn, piece.audio.samples, RATE_HZ, piece.text)

    def _write(self, event: TextCame) -> Iterator[Speech]:
        """Text that is spoken waits for its audio."""
        self.weight_s += len(event.delta) / CHARS_PER_S
        if event.spoken:
            self._captions.write(event.delta)
        else:
            yield Speech(self.turn, NOTHING, RATE_HZ, event.delta, ends_text=True)
