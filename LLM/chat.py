"""Chat: the memory of a conversation, as a language model is given it."""

import threading
from collections import deque
from dataclasses import dataclass

from LLM.base import ChatMessage

DEFAULT_PROMPT = (
    "You are a helpful AI assistant. Your answers are read aloud, not shown on a screen: keep them "
    "short, speak in plain sentences, and use no lists, no markup and no emoji."
)

CUT_MARK = "…"
"""Ends an answer of which the user did not hear the rest."""


@dataclass(slots=True)
class Exchange:
    """What the user said in a turn, and what they heard of the answer."""

    turn: int
    said: str
    heard: str
    cut_short: bool


class Chat:
    """Remembers the latest `chat_size` exchanges and the system prompt. Thread-safe.

    An exchange is written when its turn ends, with what was heard, and may be corrected later.
    """

    def __init__(
        self,
        chat_size: int = 10,
        init_chat_prompt: str | None = DEFAULT_PROMPT,
        init_chat_role: str = "system",
        user_role: str = "user",
    ) -> None:
        self._prompt = init_chat_prompt
        self._prompt_role = init_chat_role
        self._user_role = user_role
        self._exchanges: deque[Exchange] = deque(maxlen=chat_size)
        self._lock = threading.Lock()

    def prompt(self, text: str, instructions: str | None = None) -> list[ChatMessage]:
        """What the model gets to answer `text`: the prompt, the exchanges, and the text.

        `instructions` takes the place of the prompt. Messages of one role in a row, as after an answer
        of which nothing was heard, are joined: many chat templates want the roles to take turns.
        """
        messages: list[ChatMessage] = []
        prompt = instructions or self._prompt
        if prompt:
            _append(messages, self._prompt_role, prompt)
        with self._lock:
            exchanges = list(self._exchanges)
        for exchange in exchanges:
            heard = exchange.heard + (CUT_MARK if exchange.cut_short and exchange.heard else "")
            _append(messages, self._user_role, exchange.said)
            _append(messages, "assistant", heard)
        _append(messages, self._user_role, text)
        return messages

    def remember(self, turn: int, said: str, heard: str, cut_short: bool) -> None:
        """Write down a turn that is over."""
        with self._lock:
            self._exchanges.append(Exchange(turn, said, heard, cut_short))

    def revise(self, turn: int, heard: str) -> None:
        """Correct what was heard of a turn."""
        with self._lock:
            for exchange in self._exchanges:
                if exchange.turn == turn:
                    exchange.heard = heard


def _append(messages: list[ChatMessage], role: str, content: str) -> None:
    if not content:
        return
    if messages and messages[-1].role == role:
        content = f"{messages.pop().content}\n{content}"
    messages.append(ChatMessage(role, content))
