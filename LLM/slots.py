"""Slots: assigns the slots of a language model to conversations."""

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
        """The conversation that it read last, or is reading."""
        self.reading: CancelToken | None = None
        """Cancels the call that reads ahead in this slot; None: there is no such call."""


class Slots:
    """Gives each call the slot that has read most of its conversation, so that the model reads only the
    rest; a new conversation gets the least recently used slot. Thread-safe.

    llama.cpp could choose by itself, but if two conversations begin with the same long instructions it
    takes the slot of the one for the other, and forgets the first.
    """

    def __init__(self, count: int) -> None:
        self._free = [_Slot(number) for number in range(count)]
        self._reading: list[_Slot] = []
        self._changed = threading.Condition()

    @contextmanager
    def taken(
        self, messages: Sequence[ChatMessage], reading: CancelToken | None = None
    ) -> Iterator[int]:
        """Take a slot. There must not be more calls at once than slots.

        `reading` is given by calls that only read ahead: an answer to the same conversation cancels
        them with it, and waits for the slot.
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
        """The best free slot; of several, the first. The caller holds the lock."""
        while True:
            reading = self._reading if may_stop_reading else []
            best: _Slot = max([*self._free, *reading], key=lambda slot: _kinship(slot.read, messages))
            if best.reading is None:
                return best
            best.reading.cancel()
            self._changed.wait()


def _kinship(read: Sequence[ChatMessage], messages: Sequence[ChatMessage]) -> int:
    """A score that grows with the part of a read conversation that `messages` can reuse; 0 if `messages`
    does not continue it. The last message read may have grown or changed, since it may have been
    a guess at the user's words."""
    same = 0
    for before, now in zip(read, messages, strict=False):
        if before.role != now.role or not now.content.startswith(before.content):
            break
        same += 1
        if before != now:
            break
    lost = len(read) - same
    return 2 * same - lost if same and lost <= 1 else 0
