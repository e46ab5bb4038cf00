"""Engines that do what a test tells them: scripted words, scripted faults, no time spent."""

from collections.abc import Iterator, Sequence

import numpy as np

from LLM.base import ChatMessage
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from STT.base import Transcription
from testing.hold import Hold
from TTS.base import AudioChunk

RATE_HZ = 16000
MS_PER_CHARACTER = 10


class LoudnessDetector:
    """A VAD for which loud is speech, without a model or any memory."""

    name = "loudness"
    sample_rate_hz = RATE_HZ
    window_samples = 512

    def open(self) -> "LoudnessDetector":
        return self

    def judge(self, streams: Sequence[object], windows: Sequence[Samples]) -> list[float]:
        return [self.probability(window) for window in windows]

    def probability(self, window: Samples) -> float:
        return 1.0 if np.max(np.abs(window)) > 0.05 else 0.0

    def reset(self) -> None:
        """Nothing to forget."""


class StoppableDetector(LoudnessDetector):
    """The same, which a test can stop in the middle of a call."""

    def __init__(self) -> None:
        self.hold = Hold()
        self.error: Exception | None = None
        self.calls: list[int] = []
        """How many windows were judged in each."""

    def judge(self, streams: Sequence[object], windows: Sequence[Samples]) -> list[float]:
        self.calls.append(len(windows))
        self.hold.pass_through(CancelToken())
        if self.error is not None:
            raise self.error
        return super().judge(streams, windows)


class ScriptedRecognizer:
    """Hears the next of `texts` each time, then "words" for ever."""

    name = "scripted-stt"
    sample_rate_hz = RATE_HZ
    languages: tuple[str, ...] = ("en",)

    def __init__(self, *texts: str, slots: int = 4) -> None:
        self.slots = slots
        self.hold = Hold()
        self.error: Exception | None = None
        self.heard: list[Samples] = []
        self._texts = list(texts)

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        self.heard.append(samples)
        self.hold.pass_through(cancel)
        if self.error is not None:
            raise self.error
        return Transcription(self._texts.pop(0) if self._texts else "words", "en")

    def close(self) -> None: ...


class ScriptedModel:
    """Answers with the next of `replies`, then with the last for ever, word by word."""

    name = "scripted-llm"

    def __init__(self, *replies: str, slots: int = 4) -> None:
        self.slots = slots
        self.hold = Hold()
        self.error_after_words: tuple[int, Exception] | None = None
        self.prompts: list[Sequence[ChatMessage]] = []
        self.closed_early = 0
        self._replies = list(replies) or ["One sentence. Another sentence."]

    def generate(self, messages: Sequence[ChatMessage], cancel: CancelToken) -> Iterator[str]:
        self.prompts.append(messages)
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        finished = False
        try:
            for count, word in enumerate(reply.split(" ")):
                self.hold.pass_through(cancel)
                if self.error_after_words is not None and count == self.error_after_words[0]:
                    raise self.error_after_words[1]
                yield word if count == 0 else " " + word
            finished = True
        finally:
            self.closed_early += not finished

    def close(self) -> None: ...


class ScriptedSynthesizer:
    """Speaks 10 ms of a constant for each character, in blocks of at most `block_ms`.

    The constant is the number of the sentence in hundredths, so a test sees in the samples what was
    played.
    """

    name = "scripted-tts"
    sample_rate_hz = RATE_HZ
    languages: tuple[str, ...] = ("en",)

    def __init__(self, *, slots: int = 4, block_ms: int = 100) -> None:
        self.slots = slots
        self.hold = Hold()
        self.error_at_text: tuple[str, Exception] | None = None
        self.spoken: list[str] = []
        self._block = block_ms * RATE_HZ // 1000

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        self.spoken.append(text)
        level = (len(self.spoken) % 80) / 100
        left = len(text) * MS_PER_CHARACTER * RATE_HZ // 1000
        while left > 0:
            self.hold.pass_through(cancel)
            if self.error_at_text is not None and self.error_at_text[0] == text:
                raise self.error_at_text[1]
            block = min(left, self._block)
            yield AudioChunk(np.full(block, level, np.float32), RATE_HZ)
            left -= block

    def close(self) -> None: ...


class ScriptedTurnDetector:
    """Takes everything for as complete as it is told."""

    name = "scripted-turn"
    slots = 1
    sample_rate_hz = RATE_HZ

    def __init__(self, completeness: float) -> None:
        self.answer = completeness
        self.hold = Hold()
        self.error: Exception | None = None
        self.asked: list[Samples] = []

    def completeness(self, samples: Samples) -> float:
        self.asked.append(samples)
        self.hold.pass_through(CancelToken())
        if self.error is not None:
            raise self.error
        return self.answer

    def close(self) -> None: ...
