"""ReadAhead: the language model reads the known part of a question while the user still speaks."""

from LLM.base import ChatModel, ReadingChatModel
from LLM.chat import Chat, prompt_for
from pipeline.session import Session
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken


class ReadAhead:
    """Makes the model read the conversation, then the stable words of the user, so that only the last
    words are left when the user has finished. Does nothing if the model has no prompt cache.

    One call at a time, and only on an idle slot. The model itself stops reading if an answer to the same
    conversation is requested.
    """

    def __init__(self, model: SharedEngine[ChatModel], chat: Chat, session: Session) -> None:
        self._model = model
        self._chat = chat
        self._session = session
        self._busy = False

    def __call__(self, words: str) -> None:
        """Read what the user has said so far; empty when speech has just begun. Does not wait."""
        if self._busy or not self._model.idle_slots:
            return
        if not isinstance(self._model.engine, ReadingChatModel):
            return
        settings = self._session.settings
        messages = prompt_for(self._chat, words, settings, settings.language)
        self._busy = True
        self._session.activity.woke()

        def read(model: ChatModel) -> None:
            try:
                if isinstance(model, ReadingChatModel):
                    model.read(messages, CancelToken())
            finally:
                self._busy = False
                self._session.activity.sleeps()

        self._model.later(read)
