"""Conversation: the items of a Realtime session, as its client sees them."""

import secrets
from typing import Any

from openai.types.realtime import (
    ConversationItemAdded,
    ConversationItemDeletedEvent,
    ConversationItemDone,
    ConversationItemTruncatedEvent,
)
from openai.types.realtime.conversation_item import ConversationItem

from connections.realtime.client_events import ItemCreate, ItemReference, Refusal
from connections.realtime.items import item_of, message_of
from connections.realtime.tell import Tell
from LLM.chat import FIRST, Chat, Entry, said_id
from pipeline.messages import ChatMessage

LONGEST_TEXT = 1 << 16
"""Characters of an item: some pages."""


class Conversation:
    """What is remembered is the `Chat` of the session; here is what the client was told of it.

    A client learns the id of what the user says when they begin to speak, before it is a turn. So these
    items have names of their own.
    """

    def __init__(self, chat: Chat, tell: Tell) -> None:
        self._chat = chat
        self._tell = tell
        self._latest: str | None = None
        self._entry_of: dict[str, str] = {}
        """Of spoken items: the id of the entry in the chat."""

    @property
    def latest(self) -> str | None:
        """The item that was added last."""
        return self._latest

    def spoken_in(self, turn: int, item: str) -> None:
        """The user said this item in that turn."""
        self._entry_of[item] = said_id(turn)

    def added(self, item: ConversationItem, *, after: str | None = None) -> None:
        """Tell that an item is there; it may not be complete."""
        previous = None if after == FIRST else after or self._latest
        self._tell(ConversationItemAdded, item=item, previous_item_id=previous)
        self._latest = item.id

    def done(self, item: ConversationItem) -> None:
        """Tell that it is complete."""
        self._tell(ConversationItemDone, item=item)

    def create(self, event: ItemCreate) -> None:
        """The client notes something. Raises `Refusal`."""
        if isinstance(event.item, ItemReference):
            raise Refusal("expected an item, got a reference to one", param="item.type")
        id = event.item.id or f"item_{secrets.token_hex(8)}"
        message = message_of(event.item)
        if len(message.content) > LONGEST_TEXT:
            raise Refusal(f"expected at most {LONGEST_TEXT} characters", "too_long", "item")
        if not message.content and not message.calls and not message.answers:
            raise Refusal("expected some text", param="item.content")
        after = event.previous_item_id
        try:
            self._chat.note(id, message, self._entry_id(after))
        except LookupError as error:
            raise Refusal(f"there is no item {after!r:.100}", param="previous_item_id") from error
        except ValueError as error:
            raise Refusal(f"there is an item {id!r:.100} already", param="item.id") from error
        item = item_of(id, message, heard=False)
        self.added(item, after=after)
        self.done(item)

    def retrieve(self, item: str) -> ConversationItem:
        """As it is remembered. Raises `Refusal`."""
        entry = self._find(item)
        heard = entry.turn is not None
        return item_of(item, entry.message, heard=heard, cut_short=entry.cut_short)

    def delete(self, item: str) -> None:
        """The client wants it forgotten. Raises `Refusal`."""
        self._find(item)
        self._chat.erase(self._entry_id(item) or item)
        self.forgotten(item)

    def forgotten(self, item: str) -> None:
        """Tell that it is not there any more."""
        self._entry_of.pop(item, None)
        self._tell(ConversationItemDeletedEvent, item_id=item)

    def truncated(self, item: str, audio_end_ms: int) -> None:
        """Tell that what was heard of it is known now."""
        self._tell(
            ConversationItemTruncatedEvent, item_id=item, content_index=0, audio_end_ms=audio_end_ms
        )

    def messages(self, items: list[Any]) -> list[ChatMessage]:
        """What these items say, among them such as are of the conversation. Raises `Refusal`."""
        return [
            self._find(item.id).message if isinstance(item, ItemReference) else message_of(item)
            for item in items
        ]

    def _find(self, item: str) -> Entry:
        try:
            return self._chat.entry(self._entry_id(item) or item)
        except LookupError as error:
            raise Refusal(
                f"there is no item {item!r:.100} in the conversation, or not yet",
                "item_not_found",
                "item_id",
            ) from error

    def _entry_id(self, item: str | None) -> str | None:
        return None if item is None else self._entry_of.get(item, item)
