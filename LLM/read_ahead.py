"""ReadAhead: a language model reads what is known of the next question while the user still speaks."""

from LLM.base import ChatModel, ReadingChatModel
from LLM.chat import Chat, prompt_for
from pipeline.session import Session
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken


class ReadAhead:
    """Called with the words of the user that will not change any more, at first none, so that only the
    last words are left to read when the user has finished. Does nothing if the model keeps nothing of
    what it reads.

    One call at a time, and only on an idle slot. The model itself drops a reading if an answer to the
    same conversation is wanted.
    """

    def __init__(self, model: SharedEngine[ChatModel], chat: Chat, session: Session) -> None:
        self._model = model
        self._keeps = isinstance(model.engine, ReadingChatModel)
        self._chat = chat
        self._session = session
        self._busy = False

    def __call__(self, words: str) -> None:
        """The user has begun to speak, or has said these words so far. Does not wait."""
        if not self._keeps or self._busy or not self._model.idle_slots:
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
