"""SoundsKept: the sound of earlier answers, which OpenAI's server keeps for an hour."""

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

MAX_KEPT = 1000
"""Answers whose ids are known, of all sessions: an hour of a hundred busy conversations."""

MARGIN_S = 60.0
"""An id that expires sooner is not used any more: the request takes its time, and clocks differ."""


class SoundsKept:
    """Ids of answers, by their text. Thread-safe.

    In OpenAI's protocol the model hears an earlier answer again if the conversation holds its id; else
    it reads the text. An answer that was not heard to the end has another text, and is read.
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
        """The messages of a request, with the ids of answers in the place of their texts."""
        soon = time.time() + MARGIN_S
        with self._lock:
            return [self._referred(message, soon) for message in messages]

    def are_in(self, messages: Sequence[Mapping[str, Any]]) -> bool:
        """True if ids would take the place of texts in these messages."""
        return any("audio" in message for message in self.referred(messages))

    def forget(self) -> None:
        """Forget all ids: the server has refused one."""
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
