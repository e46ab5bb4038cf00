"""LanguageModelHandler: from the words of the user to the sentences of the answer."""

from collections.abc import Generator
from typing import ClassVar

from LLM.base import ChatModel
from LLM.chat import Chat
from LLM.sentences import split_sentences
from LLM.speakable import Speakable
from pipeline.handler import BaseHandler
from pipeline.messages import EndOfTurn, Sentence, UserText
from pipeline.shared_engine import SharedEngine


class LanguageModelHandler(BaseHandler[UserText]):
    """Serves every chat model. Sentences go on as soon as they are complete."""

    name: ClassVar[str] = "llm"
    takes = UserText

    def setup(self, model: SharedEngine[ChatModel], chat: Chat) -> None:
        self._model = model
        self._chat = chat

    def process(self, said: UserText) -> Generator[Sentence | EndOfTurn, None, None]:
        """Answer what the user said."""
        turn = said.turn
        messages = self._chat.prompt(said.text, turn.settings.instructions)
        pieces = self._model.stream(lambda model, cancel: model.generate(messages, cancel), turn.cancel)
        speakable = Speakable()
        for text in split_sentences(pieces, turn.settings.language or turn.language):
            spoken = speakable(text)
            if spoken:
                yield Sentence(turn, text, spoken)
        yield EndOfTurn(turn, "complete")
