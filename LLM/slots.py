"""Slots: which conversation each slot of a language model has read last."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pipeline.messages import ChatMessage
from pipeline.turn import CancelToken


class _Slot:
    """A place of the model for one conversation."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.read: Sequence[ChatMessage] = ()
        """The conversation that it has read last, or is reading."""
        self.reading: CancelToken | None = None
        """Cancels the call that only reads ahead; None: no such call has the slot."""


class Slots:
    """Gives each call the slot that has read most of its conversation, so that the model reads only the
    rest; a new conversation gets the slot that was used longest ago. Thread-safe.

    llama.cpp would choose by itself, but takes the slot of another conversation, and forgets that one,
    where both begin with the same long instructions.
    """

    def __init__(self, count: int) -> None:
        self._free = [_Slot(number) for number in range(count)]
        self._reading: list[_Slot] = []
        self._changed = threading.Condition()

    @contextmanager
    def taken(
        self, messages: Sequence[ChatMessage], reading: CancelToken | None = None
    ) -> Iterator[int]:
        """Take a slot; the number of calls at once must not exceed that of the slots.

        `reading` cancels the call if it only reads ahead: an answer to the same conversation does so,
        and waits for its slot.
        """
        with self._changed:
            slot = self._best(messages, may_stop_reading=reading is None)
            self._free.remove(slot)
            slot.read, slot.reading = tuple(messages), reading
            if reading is not None:
                self._reading.append(slot)
        try:
            yield slot.number
        finally:
            with self._changed:
                if reading is not None:
                    self._reading.remove(slot)
                slot.reading = None
                self._free.append(slot)
                self._changed.notify_all()

    def _best(self, messages: Sequence[ChatMessage], *, may_stop_reading: bool) -> _Slot:
        """A free slot, the first of the best; the lock is held."""
        while True:
            reading = self._reading if may_stop_reading else []
            best: _Slot = max([*self._free, *reading], key=lambda slot: _kinship(slot.read, messages))
            if best.reading is None:
                return best
            best.reading.cancel()
            self._changed.wait()


def _kinship(read: Sequence[ChatMessage], messages: Sequence[ChatMessage]) -> int:
    """0 if `messages` does not go on with the conversation that was read, else the more, the more of it
    can be used. The last message that was read may have grown, or differ: it was a guess at what the
    user says."""
    same = 0
    for before, now in zip(read, messages, strict=False):
        if before.role != now.role or not now.content.startswith(before.content):
            break
        same += 1
        if before != now:
            break
    lost = len(read) - same
    return 2 * same - lost if same and lost <= 1 else 0
