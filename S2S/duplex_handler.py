"""DuplexHandler: a model that listens while it speaks, one frame in, one frame out."""

import functools
from collections.abc import Generator
from typing import ClassVar

from pipeline.handler import BaseHandler
from pipeline.messages import COMPLETE, AudioBlock, EndOfTurn, Samples, Speech
from pipeline.session import Session
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken, Origin, Turn
from S2S.base import DuplexModel, DuplexStream


class DuplexHandler(BaseHandler[AudioBlock]):
    """Serves every duplex model. All that it says belongs to one open-ended turn; if that is
    interrupted, another begins with the next frame."""

    name: ClassVar[str] = "s2s"
    takes = AudioBlock

    def setup(self, model: SharedEngine[DuplexModel], session: Session) -> None:
        self._model = model
        self._session = session
        self._stream: DuplexStream | None = None
        self._turn: Turn | None = None

    def process(self, block: AudioBlock) -> Generator[Speech, None, None]:
        """Hear a frame, and say the next one."""
        turn = self._open_turn()
        answer = self._model.call(functools.partial(self._answer, block.samples), turn.cancel)
        if answer is not None:
            samples, text = answer
            yield Speech(turn, samples, self._model.engine.info.sample_rate_hz, text)

    def finish(self) -> Generator[EndOfTurn, None, None]:
        """End the turn."""
        if self._turn is not None:
            yield EndOfTurn(self._turn, COMPLETE)

    def cleanup(self) -> None:
        """Free the state of the conversation."""
        if self._stream is not None:
            self._stream.close()

    def _open_turn(self) -> Turn:
        if self._turn is None or not self._turn.alive:
            self._turn = self._session.begin_turn(Origin.PROGRAM)
            self._turn.commit()
        return self._turn

    def _answer(
        self, frame: Samples, model: DuplexModel, cancel: CancelToken
    ) -> tuple[Samples, str | None]:
        if self._stream is None:
            self._stream = model.open(self._session.settings)
        return self._stream.answer(frame)
