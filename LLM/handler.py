"""LanguageModelHandler: from the user's words to the sentences of the answer."""

from collections.abc import Generator, Iterable, Iterator
from typing import ClassVar

import numpy as np

from LLM.base import ChatModel
from LLM.brief import sentences_of
from LLM.call_reports import CallReports
from LLM.chat import Chat, prompt_for
from LLM.spoken_answer import SpokenAnswer
from LLM.thoughts import Piece, without_thoughts
from pipeline.handler import BaseHandler
from pipeline.language import plain
from pipeline.messages import COMPLETE, CutOff, EndOfTurn, Notice, Sentence, Speech, UserText
from pipeline.session import Session
from pipeline.settings import NO_TOOL
from pipeline.shared_engine import SharedEngine
from pipeline.turn import Turn

SILENCE, SILENCE_HZ = np.empty(0, np.float32), 16000
"""The audio of an answer that is not spoken."""


class LanguageModelHandler(BaseHandler[UserText]):
    """Serves every chat model. Thoughts are left out. Sentences go on as soon as they are complete; an
    answer that is not to be spoken goes on piece by piece, past the synthesizer. Calls of the client's
    functions are reported at once, but only in a committed turn."""

    name: ClassVar[str] = "llm"
    takes = UserText

    def setup(self, model: SharedEngine[ChatModel], chat: Chat, session: Session) -> None:
        self._model = model
        self._chat = chat
        self._session = session
        self._calls = CallReports(chat, session)
        self._end = COMPLETE
        """Reason for the end of the latest answer."""

    def process(self, said: UserText) -> Generator[Sentence | Speech | EndOfTurn, None, None]:
        """Answer what the user said."""
        turn, settings = said.turn, said.turn.settings
        if turn.was_committed and turn.remembered:
            self._chat.keep_place(turn.number)
        language = settings.language or turn.language
        messages = prompt_for(
            self._chat,
            said.text,
            settings,
            language,
            turn=turn.number,
            context=said.context,
            audio=said.audio,
        )
        self._end = COMPLETE
        answer = self._model.stream(
            lambda model, cancel: model.generate(messages, cancel, settings.tools, settings.tool_choice),
            turn.cancel,
        )
        aloud = SpokenAnswer()
        pieces = self._words_of(turn, aloud.output(self._meant(turn, answer)))
        if settings.spoken:
            pieces = aloud.prose(pieces)
        most = self._model.engine.info.max_sentences
        if settings.spoken or most is not None:
            pieces = sentences_of(pieces, language and plain(language), most)
        if not settings.spoken:
            for piece in pieces:
                yield Speech(turn, SILENCE, SILENCE_HZ, piece, ends_text=True)
            yield EndOfTurn(turn, self._end)
            return
        for text, spoken in aloud.sentences(pieces):
            yield Sentence(turn, text, spoken)
        if turn.alive and (unheard := aloud.unheard) is not None:
            self._remember_unheard(turn, aloud.text)
            raise unheard
        yield EndOfTurn(turn, self._end)

    def instead(self, turn: Turn, error: Exception) -> Iterator[Sentence]:
        """The sentence that tells of the failure, if nothing of the answer goes on."""
        return self._session.apologies.for_failure(self.name, turn, error)

    def _remember_unheard(self, turn: Turn, text: str) -> None:
        """Remember an answer with nothing to hear, as one that was cut short.

        Normally, only what was heard is remembered. But the user learns that there was an answer, and
        may ask about it: a model that does not know the answer would write it again.
        """
        if text.strip() and turn.remembered:
            self._session.turns.when_committed(
                turn, lambda: self._chat.heard(turn.number, text, cut_short=True)
            )

    def _words_of(self, turn: Turn, answer: Iterable[Piece]) -> Generator[str, None, None]:
        """Yield the words to speak; report the model's calls of functions on the way."""
        calls, end = self._calls.of(turn), COMPLETE
        for piece in answer:
            if isinstance(piece, Notice):
                self._session.notices.give(self.name, turn, piece)
            elif isinstance(piece, CutOff):
                end = piece.reason
            elif isinstance(piece, str):
                yield piece
            else:
                calls.add(piece)
        self._end = calls.end(end)

    def _meant(self, turn: Turn, answer: Iterator[Piece]) -> Iterator[Piece]:
        """The answer without the parts that are not meant for the user."""
        if self._model.engine.info.keeps_thoughts:
            return answer
        tools = () if turn.settings.tool_choice == NO_TOOL else turn.settings.tools
        return without_thoughts(answer, {tool.name for tool in tools})
