"""SpeechToSpeechHandler: from the user's utterance to the answer, in one step."""

import functools
from collections.abc import Generator
from dataclasses import replace
from typing import ClassVar

import numpy as np

from LLM.call_reports import CallReports
from LLM.chat import Chat, prompt_for
from LLM.handler import SILENCE, SILENCE_HZ
from pipeline.audio import resample
from pipeline.errors import NothingHeard
from pipeline.handler import BaseHandler
from pipeline.messages import (
    COMPLETE,
    SPOKEN,
    CutOff,
    EndOfTurn,
    Notice,
    Recording,
    Speech,
    ToolCall,
    UserText,
    Utterance,
)
from pipeline.session import Session
from pipeline.shared_engine import SharedEngine
from pipeline.turn import Turn
from pipeline.words import has_words
from S2S.base import Question, SpeechResponder, SpokenPiece, UserWords


class SpeechToSpeechHandler(BaseHandler[Utterance | UserText]):
    """Serves every engine that answers turn by turn. The user's words are remembered as `SPOKEN` until
    the engine returns them, if it ever does. Calls of the client's functions are reported at once, but
    only in a committed turn."""

    name: ClassVar[str] = "s2s"
    takes = (Utterance, UserText)

    def setup(self, responder: SharedEngine[SpeechResponder], chat: Chat, session: Session) -> None:
        self._responder = responder
        self._chat = chat
        self._session = session
        self._calls = CallReports(chat, session)

    def process(self, asked: Utterance | UserText) -> Generator[Speech | EndOfTurn, None, None]:
        """Answer an utterance or a typed text."""
        turn = asked.turn
        if isinstance(asked, Utterance):
            speech = Recording(asked.samples, asked.sample_rate_hz)
            note = functools.partial(self._chat.said, turn.number, SPOKEN, speech)
            self._session.turns.when_committed(turn, note)
        elif turn.remembered:
            self._chat.keep_place(turn.number)
        if not turn.settings.answers and isinstance(asked, Utterance):
            yield EndOfTurn(turn, "not to be answered")
            return
        yield from self._answer(turn, self._question(asked))

    def _answer(self, turn: Turn, question: Question) -> Generator[Speech | EndOfTurn, None, None]:
        calls, end, spoken = self._calls.of(turn), COMPLETE, turn.settings.spoken
        is_empty, is_wordless = True, False
        answer = self._responder.stream(
            lambda responder, cancel: responder.respond(question, cancel), turn.cancel
        )
        for piece in answer:
            match piece:
                case SpokenPiece(audio=audio, text=text) if spoken:
                    is_empty = is_empty and not (len(audio.samples) or text)
                    yield Speech(turn, audio.samples, audio.sample_rate_hz, text)
                case SpokenPiece(text=str(text)):
                    is_empty = is_empty and not text
                    yield Speech(turn, SILENCE, SILENCE_HZ, text, ends_text=True)
                case ToolCall():
                    is_empty = False
                    calls.add(piece)
                case UserWords(text=text, language=language):
                    is_wordless = not has_words(text)
                    if not is_wordless:
                        self._session.reports.understood(turn, text, language, None)
                case Notice():
                    self._session.notices.give(self.name, turn, piece)
                case CutOff(reason=reason):
                    end = reason
        end = calls.end(end)
        if is_empty and is_wordless:
            end = "no words were recognized"
        elif is_empty and turn.alive:
            name = self._responder.engine.info.name
            kind = "speech" if spoken else "text"
            raise NothingHeard(f"expected an answer of {kind}, got none from {name}; ask again")
        yield EndOfTurn(turn, end)

    def _question(self, asked: Utterance | UserText) -> Question:
        """The question for the engine. If the user typed nothing, the question is the last message of
        the conversation, provided that it is the user's."""
        turn, settings = asked.turn, asked.turn.settings
        context = asked.context if isinstance(asked, UserText) else None
        language = settings.language or turn.language
        messages = prompt_for(self._chat, "", settings, language, turn=turn.number, context=context)
        if isinstance(asked, Utterance):
            text, speech = "", Recording(asked.samples, asked.sample_rate_hz)
        else:
            text, speech = asked.text, None
            if not text and messages and messages[-1].role == "user":
                said = messages.pop()
                text, speech = said.content, said.audio
                text = "" if text == SPOKEN and speech is not None else text
        samples = np.empty(0, np.float32)
        if speech is not None:
            rate_hz = self._responder.engine.info.sample_rate_hz
            samples = resample(speech.samples, speech.sample_rate_hz, rate_hz)
        return Question(
            samples, settings, text, tuple(replace(message, audio=None) for message in messages)
        )
