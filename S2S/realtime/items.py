"""Items: the conversation at the server, and which of its items our messages are."""

from collections.abc import Iterable

from LLM.chat import MAX_ENTRIES, heard_id, said_id
from pipeline.messages import ChatMessage
from pipeline.turn import Turn
from S2S.realtime import requests
from S2S.realtime.chat import ServedChat
from S2S.realtime.requests import SendEvent

ITEMS_KEPT = 64
"""Number of recent items whose words a server may still send."""


class Items:
    """Keeps the server's conversation like ours. Messages that we add have our ids there; the server
    chose the ids of everything spoken. Everything happens on the thread of the loop."""

    def __init__(self, chat: ServedChat, send: SendEvent) -> None:
        self._chat = chat
        self._send = send
        self._said: dict[str, Turn] = {}
        """Recent item ▶ the turn in which the user said it."""
        self._heard: dict[int, str] = {}
        """Turn ▶ the item with its answer."""
        self._orphans: set[int] = set()
        """Turns whose answer was still being heard when the connection was lost."""
        self._given: set[str] = set()
        """Ids of the messages that the present connection was given when it was opened."""

    def said(self, item: str, turn: Turn) -> None:
        """Note that the user's speech in `turn` is this item; the words come later."""
        self._said[item] = turn
        if len(self._said) > ITEMS_KEPT:
            del self._said[next(iter(self._said))]
        self._chat.keep_place(turn.number)

    def answered(self, turn: Turn, item: str) -> None:
        """Note that the answer of `turn` is this item."""
        self._heard[turn.number] = item
        if len(self._heard) > MAX_ENTRIES:
            del self._heard[next(iter(self._heard))]

    def turn_of(self, item: str) -> Turn | None:
        """The turn in which the user said a recent item."""
        return self._said.get(item)

    def deleted(self, item: str) -> Turn | None:
        """Forget an item. Returns the turn in which the user said it."""
        return self._said.pop(item, None)

    def add(self, id: str, message: ChatMessage, after: str | None = None) -> None:
        """Add a message at the server, behind another; None: to the end."""
        for item in requests.items(message, id):
            self._send(requests.create(item, None if after is None else self._id_at_server(after)))

    def erase(self, id: str) -> None:
        """Delete a message at the server."""
        item = self._id_at_server(id)
        self._said.pop(item, None)
        self._send(requests.delete(item))

    def lose(self, heard_now: Iterable[int]) -> None:
        """The server has lost the conversation, while the answers of these turns were being heard."""
        self._orphans = set(heard_now)
        self._said.clear()
        self._heard.clear()

    def give_back(self) -> None:
        """Give the server the conversation so far."""
        history = self._chat.history()
        self._given = {id for id, _ in history}
        for id, message in history:
            self.add(id, message)

    def heard(self, turn: int) -> None:
        """Add an answer that was still being heard after the server had lost the conversation."""
        id = heard_id(turn)
        if turn in self._orphans and id not in self._given:
            for each, message in self._chat.history():
                if each == id:
                    self.add(id, message)

    def _id_at_server(self, id: str) -> str:
        said = {said_id(turn.number): item for item, turn in self._said.items()}
        heard = {heard_id(turn): item for turn, item in self._heard.items()}
        return said.get(id) or heard.get(id) or id
