"""FrameHandler: answers the user while the user is still speaking."""

import functools
from collections.abc import Generator
from typing import Any, ClassVar, TypeGuard

from pipeline.audio import Framer
from pipeline.handler import BaseHandler
from pipeline.messages import Samples, Speech, VoiceBlock
from pipeline.resampler import Resampler
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken, Turn
from S2S.base import FrameResponder, FrameStream


def answers_frames(
    responder: SharedEngine[Any],
) -> TypeGuard[SharedEngine[FrameResponder]]:
    """True if the engine answers while the user is speaking."""
    return isinstance(responder.engine, FrameResponder)


class FrameHandler(BaseHandler[VoiceBlock]):
    """Serves every engine that answers frame by frame, in the reply mode ``stream``."""

    name: ClassVar[str] = "frames"
    takes = VoiceBlock

    def setup(self, responder: SharedEngine[FrameResponder]) -> None:
        self._responder = responder
        self._turn: Turn | None = None
        self._stream: FrameStream | None = None
        self._framer: Framer
        self._resampler: Resampler

    def process(self, block: VoiceBlock) -> Generator[Speech, None, None]:
        """Answer the frames that this block completes."""
        turn, engine = block.turn, self._responder.engine
        if turn is not self._turn:
            self._turn, self._stream = turn, None
            self._framer = Framer(engine.info.frame_samples, engine.info.overlap_samples)
            self._resampler = Resampler(block.sample_rate_hz, engine.info.sample_rate_hz)
        for frame in self._framer.feed(self._resampler.feed(block.samples)):
            answer = self._responder.call(functools.partial(self._answer, frame), turn.cancel)
            if answer is None:
                return
            audio, text = answer
            yield Speech(turn, audio, engine.info.sample_rate_hz, text)

    def _answer(
        self, frame: Samples, responder: FrameResponder, cancel: CancelToken
    ) -> tuple[Samples, str | None]:
        if self._stream is None:
            self._stream = responder.open()
        return self._stream.answer(frame)
