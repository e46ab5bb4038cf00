"""Chat: the memory of a conversation, from which the language model gets its messages."""

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.language import english_name
from pipeline.messages import ChatMessage, Recording, ToolCall
from pipeline.settings import SessionSettings

DEFAULT_PROMPT = (
    "You are a helpful AI assistant. Your answers are read aloud, not shown on a screen: keep them "
    "short, speak in plain sentences, and use no lists, no markup and no emoji."
)

_ANSWER_IN = "\n\nAnswer in "

CUT_MARK = "…"
"""Mark at the end of an answer that the user did not hear to the end."""

MAX_ENTRIES = 2000
"""Limit of the messages that a client adds beside the conversation, before the oldest is forgotten:
hours of conversation."""

NO_RESULT = "(no result yet)"
"""Placeholder for a pending result: a model that does not see its call makes it again."""

FIRST = "root"
"""Given in place of an id: put the message before all others."""


@dataclass(slots=True)
class Entry:
    """One message of the conversation."""

    id: str
    message: ChatMessage
    turn: int | None = None
    """The turn to which the message belongs; None: a client added it."""
    cut_short: bool = False


def answer_in(language: str | None) -> str:
    """The end of the instructions, which names the language. Empty for None and for plain English, since
    the prompt is in English anyway."""
    if language is None or language == "en":
        return ""
    return f"{_ANSWER_IN}{english_name(language)}."


def split_answer_in(instructions: str) -> tuple[str, str | None]:
    """The instructions without the sentence of `answer_in`, and the name of the language in it."""
    match = re.fullmatch(rf"(.*){_ANSWER_IN}([^\n]+)\.", instructions, re.DOTALL)
    return (match[1], match[2]) if match else (instructions, None)


def said_id(turn: int) -> str:
    """Id of the user's message of a turn."""
    return f"item_said_{turn}"


def heard_id(turn: int) -> str:
    """Id of the answer of a turn."""
    return f"item_heard_{turn}"


def called_id(call: ToolCall) -> str:
    """Id of a call of the model."""
    return f"item_{call.id}"


class Chat:
    """Remembers the system prompt and the conversation, as far back as the user's last `chat_size`
    messages. Thread-safe.

    The user's words are added when the turn is committed. The answer is added when the turn ends, as far
    as it was heard, and may be corrected later. A client may add messages anywhere, and erase any.
    """

    def __init__(
        self,
        chat_size: int = 10,
        init_chat_prompt: str | None = DEFAULT_PROMPT,
        init_chat_role: str = "system",
        user_role: str = "user",
    ) -> None:
        self.default_instructions = init_chat_prompt or ""
        self._size = chat_size
        self._prompt_role = init_chat_role
        self._user_role = user_role
        self._entries: list[Entry] = []
        self._lock = threading.Lock()

    def prompt(
        self,
        text: str,
        instructions: str | None = None,
        *,
        turn: int | None = None,
        context: Sequence[ChatMessage] | None = None,
        audio: Recording | None = None,
    ) -> list[ChatMessage]:
        """The messages that the model gets to answer `text`: the prompt, the conversation, and the text.

        `instructions` replaces the prompt, and `context` the conversation. Messages of `turn` itself are
        left out, since `text` has its words. Successive messages of one role, as after an answer that
        was not heard at all, are joined, since many chat templates require the roles to alternate.
        """
        messages: list[ChatMessage] = []
        _append(messages, ChatMessage(self._prompt_role, instructions or self.default_instructions))
        for message in _with_results(self._before(turn) if context is None else context):
            _append(messages, message)
        if text:
            messages = [replace(message, audio=None) for message in messages]
        _append(messages, ChatMessage(self._user_role, text, audio=audio))
        return messages

    # -- the conversation, written by the session and the LLM stage --------------------------------

    def said(self, turn: int, text: str, audio: Recording | None = None) -> None:
        """Note the user's words in a committed turn; called again once a transcript comes late. Earlier
        messages keep only their text."""
        message = ChatMessage(self._user_role, text, audio=audio)
        with self._lock:
            for entry in self._entries:
                if entry.id == said_id(turn):
                    entry.message = message
                    return
                entry.message = replace(entry.message, audio=None)
            self._entries.append(Entry(said_id(turn), message, turn))
            self._forget_the_oldest()

    def keep_place(self, turn: int) -> None:
        """Keep a place for the answer of a turn in which the user said nothing, before what is noted
        meanwhile."""
        with self._lock:
            if not any(entry.turn == turn for entry in self._entries):
                self._entries.append(Entry(said_id(turn), ChatMessage(self._user_role, ""), turn))

    def called(self, turn: int, call: ToolCall, *, cut_short: bool = False) -> None:
        """Note that the model called a function; `cut_short`: the call was not complete."""
        with self._lock:
            entry = Entry(called_id(call), ChatMessage("assistant", "", (call,)), turn, cut_short)
            self._entries.insert(self._end_of(turn, before_calls=False), entry)

    def heard(self, turn: int, text: str, cut_short: bool) -> None:
        """Note the part of the answer that the user heard, when a turn is over."""
        with self._lock:
            entry = Entry(heard_id(turn), ChatMessage("assistant", text), turn, cut_short)
            self._entries.insert(self._end_of(turn, before_calls=True), entry)
            self._forget_the_oldest()

    def revise(self, turn: int, heard: str) -> None:
        """Correct the part of an answer that was heard."""
        with self._lock:
            for entry in self._entries:
                if entry.id == heard_id(turn) and entry.message.content != heard:
                    entry.message, entry.cut_short = replace(entry.message, content=heard), True

    def forget(self, turn: int) -> None:
        """Forget a turn that was dropped after all, but not its calls, which the client has begun."""
        with self._lock:
            self._entries = [e for e in self._entries if e.turn != turn or e.message.calls]

    # -- messages of a client -----------------------------------------------------------------------

    def note(self, id: str, message: ChatMessage, after: str | None = None) -> None:
        """Put a message behind the one with the id `after`, or to the end. Raises `LookupError` where
        there is none of that id, `ValueError` where there is one with this `id` already."""
        with self._lock:
            ids = [entry.id for entry in self._entries]
            if id in ids:
                raise ValueError(id)
            if after not in (None, FIRST, *ids):
                raise LookupError(after)
            at = len(ids) if after is None else 0 if after == FIRST else ids.index(after) + 1
            self._entries.insert(at, Entry(id, message))
            self._forget_the_oldest()

    def entry(self, id: str) -> Entry:
        """The message with this id. Raises `LookupError`."""
        with self._lock:
            for entry in self._entries:
                if entry.id == id:
                    return replace(entry)
        raise LookupError(id)

    def erase(self, id: str) -> None:
        """Forget the message with this id. Raises `LookupError`."""
        erased = self.entry(id)
        with self._lock:
            self._entries = [entry for entry in self._entries if entry.id != erased.id]

    # ----------------------------------------------------------------------------------------------

    def _before(self, turn: int | None) -> list[ChatMessage]:
        """The messages before a turn. A call that was cut off was not carried out, so it is left out,
        unless the client answered it anyway."""
        messages = []
        with self._lock:
            answered = {entry.message.answers for entry in self._entries}
            for entry in self._entries:
                if turn is not None and entry.turn == turn:
                    break
                if entry.cut_short and any(call.id not in answered for call in entry.message.calls):
                    continue
                mark = CUT_MARK if entry.cut_short and entry.message.content else ""
                messages.append(replace(entry.message, content=entry.message.content + mark))
        return messages

    def _end_of(self, turn: int, *, before_calls: bool) -> int:
        """Index of the next entry of a turn: messages that were added meanwhile come after it."""
        of_turn = [index for index, entry in enumerate(self._entries) if entry.turn == turn]
        for index in of_turn:
            if before_calls and self._entries[index].message.calls:
                return index
        return of_turn[-1] + 1 if of_turn else len(self._entries)

    def _forget_the_oldest(self) -> None:
        """Forget everything before the latest `chat_size` messages of the user; system messages stay,
        since they say how to behave."""
        by_the_user = (e.message.role == self._user_role and e.message.content for e in self._entries)
        said = [index for index, counts in enumerate(by_the_user) if counts]
        if len(said) > self._size or not self._size:
            start = said[-self._size] if self._size else len(self._entries)
            kept = [entry for entry in self._entries[:start] if entry.message.role == "system"]
            self._entries[:start] = kept
        del self._entries[: max(0, len(self._entries) - MAX_ENTRIES)]


def prompt_for(
    chat: Chat,
    text: str,
    settings: SessionSettings,
    language: str | None,
    *,
    turn: int | None = None,
    context: Sequence[ChatMessage] | None = None,
    audio: Recording | None = None,
) -> list[ChatMessage]:
    """The messages that the model gets to answer `text` in a session with these settings."""
    instructions = settings.instructions or chat.default_instructions
    return chat.prompt(text, instructions + answer_in(language), turn=turn, context=context, audio=audio)


def _with_results(messages: Sequence[ChatMessage]) -> Iterator[ChatMessage]:
    """Each call followed by its result, as servers require, or by `NO_RESULT`; a result without a call
    is left out."""
    results = {message.answers: message for message in messages if message.answers}
    for message in messages:
        if not message.answers:
            yield message
            for call in message.calls:
                yield results.get(call.id) or ChatMessage("tool", NO_RESULT, answers=call.id)


def _append(messages: list[ChatMessage], message: ChatMessage) -> None:
    if not (message.content or message.calls or message.answers):
        return
    if messages and messages[-1].role == message.role and not message.answers:
        before = messages.pop()
        content = "\n".join(filter(None, (before.content, message.content)))
        calls, audio = before.calls + message.calls, message.audio or before.audio
        message = replace(message, content=content, calls=calls, audio=audio)
    messages.append(message)
