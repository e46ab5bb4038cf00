"""Slots: which conversation each slot of a language model has read last."""

import threading
from collections.abc import Sequence

from pipeline.messages import ChatMessage


class Slots:
    """Gives each call the slot that has read most of its conversation, so that the model reads only the
    rest; a new conversation gets the slot that was used longest ago. Thread-safe.

    llama.cpp would choose by itself, but takes the slot of another conversation, and forgets that one,
    where both begin with the same long instructions.
    """

    def __init__(self, count: int) -> None:
        self._free: list[tuple[int, tuple[ChatMessage, ...]]] = [(slot, ()) for slot in range(count)]
        self._lock = threading.Lock()

    def take(self, messages: Sequence[ChatMessage]) -> int:
        """Take a free slot. There must be one."""
        with self._lock:
            best = max(self._free, key=lambda kept: _kinship(kept[1], messages))  # the first of equals
            self._free.remove(best)
            return best[0]

    def give(self, slot: int, messages: Sequence[ChatMessage]) -> None:
        """Give a slot back, which has read this conversation."""
        with self._lock:
            self._free.append((slot, tuple(messages)))


def _kinship(kept: Sequence[ChatMessage], messages: Sequence[ChatMessage]) -> int:
    """0 if `messages` does not go on with the conversation that was kept, else the more, the more of it
    can be used. Its last message may differ: a guess at the user's words, or a shorter answer."""
    same = next((at for at, pair in enumerate(zip(kept, messages)) if pair[0] != pair[1]), len(kept))  # noqa: B905
    same = min(same, len(messages))
    lost = len(kept) - same
    return 2 * same - lost if same and lost <= 1 else 0
