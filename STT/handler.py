"""STTHandler: from the user's utterance to its words."""

from collections.abc import Callable, Generator, Iterator
from typing import ClassVar

from pipeline.addressing import NO_TURN, NOT_MEANT
from pipeline.audio import resample
from pipeline.handler import BaseHandler
from pipeline.language import is_detected, speaks
from pipeline.language_fallback import language_fallback
from pipeline.messages import SPOKEN, EndOfTurn, Recording, Samples, Sentence, UserText, Utterance
from pipeline.session import Session
from pipeline.shared_engine import SharedEngine
from pipeline.timbre import Timbre
from pipeline.turn import Turn
from pipeline.words import has_words
from STT.base import Recognizer, Transcription
from STT.first_words import FirstWords
from STT.listening import Listening

MAX_COMPARED_S = 10
"""The end of an utterance whose sound is measured."""


class STTHandler(BaseHandler[Utterance]):
    """Serves every recognizer. An utterance without words ends its turn. The words of an utterance over
    a reply decide whether it is a turn, and so do those of speech that may not be meant for the program.
    """

    name: ClassVar[str] = "stt"
    takes = Utterance

    def setup(
        self,
        recognizer: SharedEngine[Recognizer],
        session: Session,
        listening: Listening | None = None,
        heard_words: Callable[[Turn, str, str | None], object] = lambda turn, words, language: None,
    ) -> None:
        """`heard_words` is told the words of each turn, which may still be a guess."""
        self._recognizer = recognizer
        self._listening = listening
        self._heard_words = heard_words
        self._session = session
        self._barge_in = session.barge_in
        self._barge_in.hears_words = True
        if recognizer.engine.info.writes:
            self._barge_in.judge_by_words(FirstWords(recognizer, session).ask)
        self._detected: str | None = None

    def process(self, utterance: Utterance) -> Generator[UserText | EndOfTurn, None, None]:
        """Recognize one utterance."""
        turn, rate_hz = utterance.turn, utterance.sample_rate_hz
        heard = self._recognize(utterance.stretch, utterance)
        if heard is None:
            return
        for notice in heard.notices:
            self._session.notices.give(self.name, turn, notice)
        timbre = Timbre.of(utterance.stretch[-MAX_COMPARED_S * rate_hz :], rate_hz)
        is_turn = self._is_turn(utterance, heard, timbre)
        if utterance.overlaps and not is_turn:
            self._dismiss(turn)
            return
        earlier = utterance.earlier
        if earlier is not None and earlier.drop("the user went on"):
            both = self._recognize(utterance.samples, utterance)
            if both is None:
                return
            heard = both if has_words(both.text) else heard
        audio, text = None, heard.text
        if heard.unheard:
            audio, text = Recording(utterance.samples, utterance.sample_rate_hz), SPOKEN
        elif not has_words(text):
            yield EndOfTurn(turn, "no words were recognized")
            return
        elif not is_turn:
            yield EndOfTurn(turn, NOT_MEANT)
            return
        if heard.language is not None and is_detected(heard.language):
            self._detected = heard.language
        language = heard.language or turn.settings.language
        if audio is None:
            self._heard_words(turn, text, language)
        self._session.reports.understood(turn, text, language, audio)
        if utterance.overlaps:
            turn.commit()
            self._barge_in.decided()
        if timbre is not None:
            self._session.turns.when_committed(turn, lambda: self._barge_in.learn(timbre))
        if turn.settings.answers:
            yield UserText(turn, text, audio=audio)
        else:
            yield EndOfTurn(turn, "not to be answered")

    def instead(self, turn: Turn, error: Exception) -> Iterator[Sentence]:
        """The sentence that tells of the failure."""
        return self._session.apologies.for_failure(self.name, turn, error)

    def failed(self, message: Utterance, error: Exception) -> None:
        """Let the reply go on if the utterance over it could not be recognized."""
        super().failed(message, error)
        if message.overlaps:
            self._dismiss(message.turn)

    def _is_turn(self, utterance: Utterance, heard: Transcription, timbre: Timbre | None) -> bool:
        if not (utterance.overlaps or (utterance.may_be_noise and utterance.turn.settings.answers)):
            return True
        language = heard.language or utterance.turn.settings.language
        return self._barge_in.is_turn(utterance, None if heard.unheard else heard.text, language, timbre)

    def _recognize(self, said: Samples, utterance: Utterance) -> Transcription | None:
        rate_hz, cancel = utterance.sample_rate_hz, utterance.turn.cancel
        language = self._language_of(utterance.turn)
        if self._listening is not None:
            return self._listening.words(said, rate_hz, language, cancel)
        samples = resample(said, rate_hz, self._recognizer.engine.info.sample_rate_hz)
        return self._recognizer.call(
            lambda recognizer, cancel: recognizer.transcribe(samples, language, cancel), cancel
        )

    def _language_of(self, turn: Turn) -> str | None:
        """The language that the session sets, else the one that was detected last; None: as the
        recognizer is configured."""
        code = turn.settings.language
        if code is None:
            return self._detected
        if speaks(self._recognizer.engine.info.languages, code):
            return code
        name = self._recognizer.engine.info.name
        notice = language_fallback(name, "understand", code, "it listens as usual")
        self._session.notices.give(self.name, turn, notice)
        return None

    def _dismiss(self, turn: Turn) -> None:
        turn.drop(NO_TURN)
        self._barge_in.decided()
