"""Zero-cost engines: what remains is our own overhead. The voice detector is the real one."""

from collections.abc import Iterator, Sequence

import numpy as np

from engines.engines import Cascade, Engines
from pipeline.engine_info import ChatModelInfo, RecognizerInfo, SynthesizerInfo
from pipeline.messages import AudioChunk, ChatMessage, Samples
from pipeline.settings import ANY_TOOL, EndpointerSettings, Tool
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from STT.base import Transcription
from testing.fakes import MS_PER_CHARACTER
from utils.voices import unknown_voice
from VAD.silero import SileroDetector

REPLY = "One short reply."
"""160 ms of audio from the instant synthesizer, which speaks for 10 ms for each character."""

SECOND = "word " * 19 + "last. "
"""One second of audio."""

RATE_HZ = 16000
SLOTS = 64


class _Instant:
    """Takes no time, and keeps nothing of a call, so that any growth in memory is ours."""

    def close(self) -> None:
        """Nothing to free."""


class InstantRecognizer(_Instant):
    """Recognizes a word in any audio."""

    info = RecognizerInfo(name="instant-stt", slots=SLOTS, sample_rate_hz=RATE_HZ, languages=("en",))

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        return Transcription("words", "en")


class InstantModel(_Instant):
    """Answers with the same reply forever, in one piece."""

    info = ChatModelInfo(name="instant-llm", slots=SLOTS)

    def __init__(self, reply: str) -> None:
        self._reply = reply

    def generate(
        self,
        messages: Sequence[ChatMessage],
        cancel: CancelToken,
        tools: Sequence[Tool] = (),
        tool_choice: str = ANY_TOOL,
    ) -> Iterator[str]:
        yield self._reply


class InstantSynthesizer(_Instant):
    """Hums 10 ms for each character, in one piece."""

    info = SynthesizerInfo(name="instant-tts", slots=SLOTS, sample_rate_hz=RATE_HZ, languages=("en",))

    def expect_voice(self, voice: str) -> None:
        raise unknown_voice(self.info.voices, voice)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        samples = len(text) * MS_PER_CHARACTER * RATE_HZ // 1000
        yield AudioChunk(np.tile(np.array([0.1, -0.1], np.float32), samples // 2), RATE_HZ)


def zero_cost_engines(reply: str = REPLY) -> Engines:
    """Engines that answer at once, with the real Silero."""
    cascade = Cascade(
        SharedEngine(InstantRecognizer()),
        SharedEngine(InstantModel(reply)),
        SharedEngine(InstantSynthesizer()),
    )
    return Engines(SileroDetector(), EndpointerSettings(), cascade)
