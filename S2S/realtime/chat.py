"""ServedChat: the memory of a session whose server keeps the conversation, too."""

from collections.abc import Callable
from dataclasses import replace

from LLM.chat import CUT_MARK, Chat, said_id
from pipeline.messages import ChatMessage, Recording


class ServedChat(Chat):
    """Remembers the conversation as it was heard, for the client, and for a server that has lost the
    conversation. Messages that a client adds or erases are passed on to the server."""

    on_heard: Callable[[int], None] = lambda turn: None
    """Called with a turn that has ended, when its answer has been noted."""
    on_note: Callable[[str, ChatMessage, str | None], None] = lambda id, message, after: None
    """Called with each message that a client adds: its id, the message, and the id before it."""
    on_erase: Callable[[str], None] = lambda id: None
    """Called with the id of each message that a client erases."""

    def said(self, turn: int, text: str, audio: Recording | None = None) -> None:
        """Note the user's words, in the place reserved for them: a server transcribes speech while it
        answers, or later."""
        with self._lock:
            for entry in self._entries:
                if entry.id == said_id(turn):
                    entry.message = replace(entry.message, content=text)
                    return
        super().said(turn, text, audio)

    def heard(self, turn: int, text: str, cut_short: bool) -> None:
        """Note the part of the answer that the user heard."""
        super().heard(turn, text, cut_short)
        self.on_heard(turn)

    def note(self, id: str, message: ChatMessage, after: str | None = None) -> None:
        """Add a message of the client to the conversation, here and at the server."""
        super().note(id, message, after)
        self.on_note(id, message, after)

    def erase(self, id: str) -> None:
        """Erase a message, here and at the server."""
        super().erase(id)
        self.on_erase(id)

    def history(self) -> list[tuple[str, ChatMessage]]:
        """The conversation as it was heard, with the id of each message."""
        with self._lock:
            return [
                (entry.id, replace(message, content=message.content + mark))
                for entry in self._entries
                if (message := entry.message).content or message.calls or message.answers
                for mark in [CUT_MARK if entry.cut_short and message.content else ""]
            ]
