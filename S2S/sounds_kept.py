"""SoundsKept: ids of earlier answers, whose sound OpenAI's server keeps for an hour."""

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

MAX_KEPT = 1000
"""Largest number of ids, for all sessions together: an hour of a hundred busy conversations."""

MARGIN_S = 60.0
"""An id that expires sooner is no longer used: the request takes time, and clocks differ."""


class SoundsKept:
    """Ids of answers, by their text. Thread-safe.

    In OpenAI's protocol the model hears an earlier answer again if the conversation contains its id;
    otherwise it reads the text. An answer that was cut off has a different text, so it is read.
    """

    def __init__(self) -> None:
        self._ids: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, text: str, id: str, expires_at: float) -> None:
        """Note the id of an answer, if it has one; `expires_at` is Unix time, in seconds."""
        if not (text.strip() and id):
            return
        with self._lock:
            self._ids[text.strip()] = (id, expires_at)
            if len(self._ids) > MAX_KEPT:
                self._ids.popitem(last=False)

    def referred(self, messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The messages of a request, with ids in place of the texts of answers."""
        soon = time.time() + MARGIN_S
        with self._lock:
            return [self._referred(message, soon) for message in messages]

    def are_in(self, messages: Sequence[Mapping[str, Any]]) -> bool:
        """True if these messages have texts that ids can replace."""
        return any("audio" in message for message in self.referred(messages))

    def forget(self) -> None:
        """Forget all ids, after the server has refused one."""
        with self._lock:
            self._ids.clear()

    def _referred(self, message: Mapping[str, Any], soon: float) -> dict[str, Any]:
        text = message["content"] if message["role"] == "assistant" else None
        id, expires_at = self._ids.get(text, ("", 0.0)) if isinstance(text, str) else ("", 0.0)
        if expires_at < soon:
            return dict(message)
        return {name: value for name, value in message.items() if name != "content"} | {
            "audio": {"id": id}
        }
