"""Engines that take a short random time for everything, and cannot be stopped meanwhile, like native
calls."""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from engines.engines import Cascade, Engines
from pipeline.engine_info import ChatModelInfo, EngineInfo, RecognizerInfo, SynthesizerInfo
from pipeline.messages import AudioChunk, ChatMessage, Samples
from pipeline.settings import ANY_TOOL, EndpointerSettings, Tool
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from STT.base import Transcription
from testing.fakes import LoudnessDetector
from utils.voices import unknown_voice
from VAD.turn_judges import TurnJudges

RATE_HZ = 16000
REPLY = "This is the first sentence of a reply. It has four of them, of a second at least. " * 2
BLOCK_S = 0.2
"""Length of the audio that the synthesizer makes at a time."""
S_PER_CHARACTER = 0.03


class _Unhurried:
    """Keeps nothing of a call, so that any growth in memory is ours."""

    info: Any
    sample_rate_hz = RATE_HZ

    def __init__(self, slots: int, chance: random.Random) -> None:
        self.info = replace(self.info, slots=slots)
        self.chance = chance

    def compute(self, least_ms: float, most_ms: float) -> None:
        """Take a random time between the two."""
        time.sleep(self.chance.uniform(least_ms, most_ms) / 1000)

    def close(self) -> None:
        """Nothing to free."""


class UnhurriedRecognizer(_Unhurried):
    """Recognizes words in any audio."""

    info = RecognizerInfo(name="unhurried-stt", sample_rate_hz=RATE_HZ, languages=("en",))

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        """Answer after 5 to 60 ms."""
        self.compute(5, 60)
        return Transcription("words", "en")


class UnhurriedModel(_Unhurried):
    """Answers with `REPLY`, word by word."""

    info = ChatModelInfo(name="unhurried-llm")

    def generate(
        self,
        messages: Sequence[ChatMessage],
        cancel: CancelToken,
        tools: Sequence[Tool] = (),
        tool_choice: str = ANY_TOOL,
    ) -> Iterator[str]:
        """Yield a word after every 0 to 4 ms."""
        for word in REPLY.split(" "):
            self.compute(0, 4)
            if cancel.cancelled:
                return
            yield word + " "


class UnhurriedSynthesizer(_Unhurried):
    """Hums, block by block."""

    info = SynthesizerInfo(name="unhurried-tts", sample_rate_hz=RATE_HZ, languages=("en",))

    def expect_voice(self, voice: str) -> None:
        """Refuse every voice, as there is only one."""
        raise unknown_voice(self.info.voices, voice)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        """Yield a block after every 1 to 10 ms."""
        for _ in range(round(len(text) * S_PER_CHARACTER / BLOCK_S)):
            self.compute(1, 10)
            if cancel.cancelled:
                return
            yield AudioChunk(
                np.tile(np.array([0.1, -0.1], np.float32), int(BLOCK_S * RATE_HZ) // 2), RATE_HZ
            )


class UnhurriedTurnDetector(_Unhurried):
    """Takes a pause for an end or a hesitation at random."""

    info = EngineInfo(name="unhurried-turn")

    def completeness(self, samples: Samples) -> float:
        """Answer after 10 to 120 ms."""
        self.compute(10, 120)
        return self.chance.choice((0.0, 1.0))


def unhurried_engines(chance: random.Random) -> Engines:
    """Engines for twenty users for whom loud audio is speech; callers wait for slots now and then."""
    cascade = Cascade(
        SharedEngine(UnhurriedRecognizer(2, chance)),
        SharedEngine(UnhurriedModel(8, chance)),
        SharedEngine(UnhurriedSynthesizer(4, chance)),
    )
    judges = TurnJudges(by_ear=SharedEngine(UnhurriedTurnDetector(2, chance)))
    return Engines(LoudnessDetector(), EndpointerSettings(), cascade, judges)
