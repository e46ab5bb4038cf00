"""Conversation: the items of a Realtime session, as its client knows them."""

import contextlib
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
from connections.realtime.server_events import SendEvent
from LLM.chat import FIRST, MAX_ENTRIES, Chat, Entry, said_id
from pipeline.messages import ChatMessage

MAX_TEXT = 1 << 16
"""Characters of an item: several pages."""


class Conversation:
    """The model's memory is the `Chat` of the session; this is the view of it that the client was told.

    A client learns the id of an utterance when the user begins to speak, before there is a turn. So
    spoken items have their own ids.
    """

    def __init__(self, chat: Chat, tell: SendEvent) -> None:
        self._chat = chat
        self._tell = tell
        self._items: list[str] = []
        """The ids of the latest `MAX_ENTRIES` items, in order."""
        self._incomplete: set[str] = set()
        self._entry_of: dict[str, str] = {}
        """Spoken item ▶ id of its entry in the chat."""

    @property
    def latest(self) -> str | None:
        """The id of the last item."""
        return self._items[-1] if self._items else None

    def spoken_in(self, turn: int, item: str) -> None:
        """Note that the user said this item in that turn."""
        self._entry_of[item] = said_id(turn)

    def added(self, item: ConversationItem, *, after: str | None = None) -> None:
        """Announce an item; it may not be complete."""
        id = str(item.id)
        known = self._items.index(after) + 1 if after in self._items else len(self._items)
        self._items.insert(0 if after == FIRST else known, id)
        self._incomplete.add(id)
        self._tell(ConversationItemAdded, item=item, previous_item_id=self._before(id))
        while len(self._items) > MAX_ENTRIES:
            self._entry_of.pop(self._items.pop(0), None)

    def done(self, item: ConversationItem) -> None:
        """Announce that an item is complete, unless it was deleted."""
        id = str(item.id)
        self._incomplete.discard(id)
        if id in self._items:
            self._tell(ConversationItemDone, item=item, previous_item_id=self._before(id))

    def create(self, event: ItemCreate) -> None:
        """Add an item of the client. Raises `Refusal`."""
        if isinstance(event.item, ItemReference):
            raise Refusal("expected an item, got a reference to one", param="item.type")
        id = event.item.id or f"item_{secrets.token_hex(8)}"
        message = message_of(event.item)
        if len(message.content) > MAX_TEXT:
            raise Refusal(f"expected at most {MAX_TEXT} characters", "too_long", "item")
        if not message.content and not message.calls and not message.answers:
            raise Refusal("expected some text", param="item.content")
        after = event.previous_item_id
        try:
            if id in self._items:
                raise ValueError(id)
            self._chat.note(id, message, self._anchor(after))
        except LookupError as error:
            raise Refusal(f"there is no item {after!r:.100}", param="previous_item_id") from error
        except ValueError as error:
            raise Refusal(
                f"there already is an item {id!r:.100}", "item_create_duplicate_item_id", "item.id"
            ) from error
        item = item_of(id, message, heard=False)
        self.added(item, after=after)
        self.done(item)

    def retrieve(self, item: str) -> ConversationItem:
        """The item as the chat has it. Raises `Refusal`."""
        entry = self._find(item, "item_retrieve_invalid_item_id")
        heard = entry.turn is not None
        return item_of(item, entry.message, heard=heard, cut_short=entry.cut_short)

    def delete(self, item: str) -> None:
        """Delete an item for the client; the chat may have dropped it already. Raises `Refusal`."""
        if item not in self._items or item in self._incomplete:
            self._find(item, "item_delete_invalid_item_id")
        with contextlib.suppress(LookupError):
            self._chat.erase(self._entry_of.get(item, item))
        self.forgotten(item)

    def forgotten(self, item: str) -> None:
        """Announce that an item is deleted."""
        self._entry_of.pop(item, None)
        self._incomplete.discard(item)
        if item in self._items:
            self._items.remove(item)
        self._tell(ConversationItemDeletedEvent, item_id=item)

    def truncated(self, item: str, audio_end_ms: int) -> None:
        """Announce that an item was cut to the part that was heard."""
        self._tell(
            ConversationItemTruncatedEvent, item_id=item, content_index=0, audio_end_ms=audio_end_ms
        )

    def messages(self, items: list[Any]) -> list[ChatMessage]:
        """The messages of these items, some of which refer to the conversation. Raises `Refusal`."""
        return [
            self._find(item.id).message if isinstance(item, ItemReference) else message_of(item)
            for item in items
        ]

    def _before(self, item: str) -> str | None:
        place = self._items.index(item)
        return self._items[place - 1] if place > 0 else None

    def _anchor(self, after: str | None) -> str | None:
        """The entry of the chat that is to precede a new one. If the chat does not have the item
        `after`, not yet or not anymore, the item before it takes its place."""
        if after not in self._items:
            return after
        for item in reversed(self._items[: self._items.index(after) + 1]):
            with contextlib.suppress(LookupError):
                return self._chat.entry(self._entry_of.get(item, item)).id
        return FIRST

    def _find(self, item: str, code: str = "item_not_found") -> Entry:
        try:
            return self._chat.entry(self._entry_of.get(item, item))
        except LookupError as error:
            raise Refusal(
                f"there is no item {item!r:.100} in the conversation (yet)", code, "item_id"
            ) from error
