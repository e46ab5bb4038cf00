"""FrameHandler: from what the user is saying to an answer that comes at the same time."""

from collections.abc import Generator
from typing import ClassVar

from pipeline.handler import BaseHandler
from pipeline.messages import Speech, VoiceBlock
from pipeline.shared_engine import SharedEngine
from pipeline.turn import Turn
from S2S.base import FrameResponder, FrameStream
from utils.audio import Framer, Resampler


class FrameHandler(BaseHandler[VoiceBlock]):
    """Serves every engine that answers frame by frame, in the reply mode ``stream``."""

    name: ClassVar[str] = "frames"
    takes = VoiceBlock

    def setup(self, responder: SharedEngine[FrameResponder]) -> None:
        self._responder = responder
        self._turn: Turn | None = None
        self._stream: FrameStream
        self._framer: Framer
        self._resampler: Resampler

    def process(self, block: VoiceBlock) -> Generator[Speech, None, None]:
        """Answer the frames that are whole with this block."""
        turn, engine = block.turn, self._responder.engine
        if turn is not self._turn:
            self._turn, self._stream = turn, engine.open()
            self._framer = Framer(engine.frame_samples, engine.overlap_samples)
            self._resampler = Resampler(block.sample_rate_hz, engine.sample_rate_hz)
        for frame in self._framer.feed(self._resampler.feed(block.samples)):
            audio = self._responder.call(lambda *_, frame=frame: self._stream.answer(frame), turn.cancel)
            if audio is None:
                return
            yield Speech(turn, audio, engine.sample_rate_hz)
