"""STTHandler: from what the user said to its words."""

from collections.abc import Generator
from typing import ClassVar

from pipeline.events import Transcript
from pipeline.handler import BaseHandler
from pipeline.mailbox import Mailboxes
from pipeline.messages import EndOfTurn, UserText, Utterance
from pipeline.shared_engine import SharedEngine
from STT.base import Recognizer
from utils.audio import resample


class STTHandler(BaseHandler[Utterance]):
    """Serves every recognizer. An utterance without words ends its turn."""

    name: ClassVar[str] = "stt"
    takes = Utterance

    def setup(self, recognizer: SharedEngine[Recognizer], events: Mailboxes) -> None:
        self._recognizer = recognizer
        self._events = events

    def process(self, utterance: Utterance) -> Generator[UserText | EndOfTurn, None, None]:
        """Recognise one utterance."""
        turn = utterance.turn
        rate_hz = self._recognizer.engine.sample_rate_hz
        samples = resample(utterance.samples, utterance.sample_rate_hz, rate_hz)
        language = turn.settings.language
        heard = self._recognizer.call(
            lambda recognizer, cancel: recognizer.transcribe(samples, language, cancel), turn.cancel
        )
        if heard is None:
            return
        if not any(character.isalnum() for character in heard.text):
            yield EndOfTurn(turn, "no words were recognised")
            return
        turn.user_text = heard.text
        turn.language = heard.language or language
        self._events.emit(Transcript(turn.number, heard.text, turn.language))
        yield UserText(turn, heard.text)
