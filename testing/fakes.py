"""Engines that do what a test tells them: scripted words, scripted faults, no time spent."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from pipeline.engine_info import ChatModelInfo, EngineInfo, RecognizerInfo, SynthesizerInfo
from pipeline.messages import AudioChunk, ChatMessage, CutOff, Samples, ToolCall
from pipeline.settings import ANY_TOOL, Tool
from pipeline.turn import CancelToken
from STT.base import Transcription
from testing.hold import Hold
from utils.voices import unknown_voice

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
    """A `LoudnessDetector` that a test can stop in the middle of a call."""

    def __init__(self) -> None:
        self.hold = Hold()
        self.error: Exception | None = None
        self.calls: list[int] = []
        """Number of windows judged in each call."""

    def judge(self, streams: Sequence[object], windows: Sequence[Samples]) -> list[float]:
        self.calls.append(len(windows))
        self.hold.pass_through(CancelToken())
        if self.error is not None:
            raise self.error
        return super().judge(streams, windows)


class ScriptedRecognizer:
    """Recognizes the next of `texts` each time, then "words" forever; in English, unless other
    languages are given."""

    def __init__(
        self, *texts: str | Transcription, slots: int = 4, languages: tuple[str, ...] = ("en",)
    ) -> None:
        self.info = RecognizerInfo(
            name="scripted-stt", slots=slots, sample_rate_hz=RATE_HZ, languages=languages
        )
        self.told: list[str | None] = []
        """The languages that it was told to expect."""
        self.hold = Hold()
        self.error: Exception | None = None
        self.heard: list[Samples] = []
        self._texts = list(texts)

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        self.heard.append(samples)
        self.told.append(language)
        self.hold.pass_through(cancel)
        if self.error is not None:
            raise self.error
        text = self._texts.pop(0) if self._texts else "words"
        return text if isinstance(text, Transcription) else Transcription(text, "en")

    def close(self) -> None: ...


class LoudnessRecognizer:
    """Hears a word for every 100 ms: how loud they were, in hundredths, and "," for silence. What was
    heard is thus in the words; the rest at the end counts, if it is more than half of that.
    """

    word_samples = RATE_HZ // 10

    def __init__(self, *, slots: int = 1) -> None:
        self.info = RecognizerInfo(
            name="loudness-stt", slots=slots, sample_rate_hz=RATE_HZ, languages=("en", "fr")
        )
        self.hold = Hold()
        self.heard: list[Samples] = []
        """The audio that was recognized at once."""

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        self.heard.append(samples)
        self.hold.pass_through(cancel)
        words = 0 if cancel.cancelled else round(len(samples) / self.word_samples)
        return Transcription(loudness_words(samples, words), language or "en")

    def close(self) -> None: ...


def loudness_words(samples: Samples, words: int) -> str:
    """The first so many words of some audio."""
    size, samples = LoudnessRecognizer.word_samples, np.nan_to_num(samples)
    levels = [round(100 * float(np.abs(samples[n * size : (n + 1) * size]).max())) for n in range(words)]
    return " ".join(str(level) if level else "," for level in levels)


class LoudnessStreamer(LoudnessRecognizer):
    """A `LoudnessRecognizer` that streams. `forks`: True if a stream can be copied."""

    def __init__(self, *, slots: int = 1, forks: bool = True) -> None:
        super().__init__(slots=slots)
        self.info = replace(self.info, chunk_samples=2 * self.word_samples)
        self.forks = forks
        self.error: Exception | None = None
        self.opened: list[str | None] = []
        """The language of each stream."""
        self.fed: list[int] = []
        """Number of samples in each call, without empty ones."""

    def open(self, language: str | None) -> "LoudnessStream":
        self.opened.append(language)
        return LoudnessStream(self, language)


class LoudnessStream:
    """One utterance."""

    def __init__(self, engine: LoudnessStreamer, language: str | None) -> None:
        self._engine = engine
        self._language = language
        self._samples = np.empty(0, np.float32)
        self._used = False

    def feed(self, samples: Samples, cancel: CancelToken) -> str:
        assert not self._used, "a stream is used once"
        if len(samples):
            self._engine.fed.append(len(samples))
        self._engine.hold.pass_through(cancel)
        if self._engine.error is not None:
            raise self._engine.error
        if not cancel.cancelled:
            self._samples = np.concatenate((self._samples, samples))
        return loudness_words(self._samples, len(self._samples) // self._engine.word_samples)

    def finish(self, cancel: CancelToken) -> Transcription:
        assert not self._used, "a stream is used once"
        self._used = True
        words = round(len(self._samples) / self._engine.word_samples)
        return Transcription(loudness_words(self._samples, words), self._language or "en")

    def fork(self) -> "LoudnessStream | None":
        if not self._engine.forks:
            return None
        other = LoudnessStream(self._engine, self._language)
        other._samples = self._samples
        return other


class ScriptedModel:
    """Answers with the next of `replies`, then with the last forever: texts word by word, calls of
    functions in three pieces."""

    def __init__(self, *replies: str | ToolCall, slots: int = 4) -> None:
        self.info = ChatModelInfo(name="scripted-llm", slots=slots, takes_tools=True, hears=True)
        self.hold = Hold()
        self.error_after_words: tuple[int, Exception] | None = None
        self.prompts: list[Sequence[ChatMessage]] = []
        self.tools: list[tuple[Sequence[Tool], str]] = []
        """The tools that came with each prompt."""
        self.closed_early = 0
        self.cut_off: str | None = None
        """Reason why its answers are cut off."""
        self._replies = list(replies) or ["One sentence. Another sentence."]

    def generate(
        self,
        messages: Sequence[ChatMessage],
        cancel: CancelToken,
        tools: Sequence[Tool] = (),
        tool_choice: str = ANY_TOOL,
    ) -> Iterator[str | ToolCall | CutOff]:
        yield from self._answer(messages, cancel, tools, tool_choice)
        if self.cut_off is not None:
            yield CutOff(self.cut_off)

    def close(self) -> None: ...

    def _answer(
        self,
        messages: Sequence[ChatMessage],
        cancel: CancelToken,
        tools: Sequence[Tool],
        tool_choice: str,
    ) -> Iterator[str | ToolCall]:
        self.prompts.append(messages)
        self.tools.append((tools, tool_choice))
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        if isinstance(reply, ToolCall):
            third = len(reply.arguments) // 3
            yield replace(reply, arguments=reply.arguments[:third])
            self.hold.pass_through(cancel)
            yield replace(reply, arguments=reply.arguments[third : 2 * third])
            yield replace(reply, arguments=reply.arguments[2 * third :])
            return
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


class ScriptedSynthesizer:
    """Speaks 10 ms of a constant for each character, in blocks of at most `block_ms`.

    The constant is the number of the sentence in hundredths, so a test sees in the samples what was
    played; both voices sound like this.
    """

    def __init__(
        self, *, slots: int = 4, block_ms: int = 100, languages: tuple[str, ...] = ("en",)
    ) -> None:
        self.info = SynthesizerInfo(
            name="scripted-tts",
            slots=slots,
            sample_rate_hz=RATE_HZ,
            languages=languages,
            voices=("low", "high"),
        )
        self.told: list[str | None] = []
        """The languages in which it was told to speak."""
        self.hold = Hold()
        self.error_at_text: tuple[str, Exception] | None = None
        self.tone = 0.0
        """Not 0: a tone of 500 Hz with this amplitude, for codecs, which let no constant through."""
        self.spoken: list[str] = []
        self._block = block_ms * RATE_HZ // 1000

    def expect_voice(self, voice: str) -> None:
        if voice not in self.info.voices:
            raise unknown_voice(self.info.voices, voice)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        self.spoken.append(text)
        self.told.append(language)
        level = (len(self.spoken) % 80) / 100
        left = len(text) * MS_PER_CHARACTER * RATE_HZ // 1000
        while left > 0:
            self.hold.pass_through(cancel)
            if self.error_at_text is not None and self.error_at_text[0] == text:
                raise self.error_at_text[1]
            block = min(left, self._block)
            samples = np.full(block, level, np.float32)
            if self.tone:  # 10 ms are whole periods, so blocks join without a click
                turns = np.arange(block, dtype=np.float32) / 32
                samples = np.float32(self.tone) * np.sin(2 * np.pi * turns, dtype=np.float32)
            yield AudioChunk(samples, RATE_HZ)
            left -= block

    def close(self) -> None: ...


class ScriptedSentenceJudge:
    """Judges all words as the test says."""

    info = EngineInfo(name="scripted-words")
    languages: tuple[str, ...] = ("en",)

    def __init__(self, ended: float) -> None:
        self.answer = ended
        self.hold = Hold()
        self.error: Exception | None = None
        self.asked: list[str] = []

    def ended(self, words: str) -> float:
        self.asked.append(words)
        self.hold.pass_through(CancelToken())
        if self.error is not None:
            raise self.error
        return self.answer

    def close(self) -> None: ...


class ScriptedTurnDetector:
    """Judges every pause as complete as the test says."""

    info = EngineInfo(name="scripted-turn")
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
