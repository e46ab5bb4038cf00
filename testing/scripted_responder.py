"""ScriptedResponder: an end-to-end engine with scripted answers."""

from collections.abc import Iterator

import numpy as np

from pipeline.engine_info import ResponderInfo
from pipeline.messages import AudioChunk
from pipeline.turn import CancelToken
from S2S.base import Answer, Question, SpokenPiece
from testing.fakes import RATE_HZ
from testing.hold import Hold
from utils.voices import expect_known


def said(text: str | None, ms: int = 100, level: float = 0.3) -> SpokenPiece:
    """A piece of an answer: a constant, so that a test can tell from the samples which pieces were
    played."""
    return SpokenPiece(AudioChunk(np.full(ms * RATE_HZ // 1000, level, np.float32), RATE_HZ), text)


class ScriptedResponder:
    """Gives the next of `answers`, then the last one forever. It waits for `hold` before each piece."""

    info = ResponderInfo(
        name="scripted-s2s",
        slots=4,
        sample_rate_hz=RATE_HZ,
        voices=("low", "high"),
        takes_text=True,
        takes_tools=True,
    )

    def __init__(self, *answers: list[Answer]) -> None:
        self.questions: list[Question] = []
        self.hold = Hold()
        self.error: Exception | None = None
        """Raised after the answer."""
        self._answers = list(answers) or [[said("One sentence."), said(" Another sentence.")]]

    def expect_voice(self, voice: str) -> None:
        expect_known(self.info.voices, voice)

    def respond(self, question: Question, cancel: CancelToken) -> Iterator[Answer]:
        self.questions.append(question)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        for piece in answer:
            self.hold.pass_through(cancel)
            yield piece
        if self.error is not None:
            raise self.error

    def close(self) -> None: ...
