"""SpeechToSpeechHandler: from the user's utterance to the answer, in one step."""

from collections.abc import Generator
from typing import ClassVar

from pipeline.audio import resample
from pipeline.handler import BaseHandler
from pipeline.messages import EndOfTurn, Speech, Utterance
from pipeline.shared_engine import SharedEngine
from S2S.base import Question, SpeechResponder, SpokenPiece


class SpeechToSpeechHandler(BaseHandler[Utterance]):
    """Serves every engine that answers turn by turn."""

    name: ClassVar[str] = "s2s"
    takes = Utterance

    def setup(self, responder: SharedEngine[SpeechResponder]) -> None:
        self._responder = responder

    def process(self, utterance: Utterance) -> Generator[Speech | EndOfTurn, None, None]:
        """Answer one utterance."""
        turn = utterance.turn
        rate_hz = self._responder.engine.info.sample_rate_hz
        samples = resample(utterance.samples, utterance.sample_rate_hz, rate_hz)
        question = Question(samples, turn.settings)
        answer = self._responder.stream(
            lambda responder, cancel: responder.respond(question, cancel), turn.cancel
        )
        for piece in answer:
            if isinstance(piece, SpokenPiece):
                yield Speech(turn, piece.audio.samples, piece.audio.sample_rate_hz, piece.text)
        yield EndOfTurn(turn, "complete")
