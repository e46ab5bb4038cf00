"""Null engines: they need nothing but numpy and follow commands in the text, faults included. For
processes of their own, which a test cannot reach into."""

import ctypes
import os
import signal
import subprocess
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pipeline.audio import clean
from pipeline.engine_info import (
    ChatModelInfo,
    DuplexInfo,
    RecognizerInfo,
    ResponderInfo,
    SynthesizerInfo,
)
from pipeline.errors import EngineBusy, EngineError, UserError
from pipeline.messages import AudioChunk, ChatMessage, CutOff, Notice, Samples, ToolCall, WordTime
from pipeline.settings import ANY_TOOL, SessionSettings, Tool
from pipeline.turn import CancelToken
from S2S.base import Answer, Question, SpokenPiece, UserWords
from STT.base import Transcription
from testing.hold import FOREVER_S
from utils.voices import expect_known, unknown_voice

RATE_HZ = 16000


class AcceleratorError(RuntimeError):
    """Stands in for PyTorch's error of the same name."""


def obey(command: str, cancel: CancelToken) -> None:
    """Follow the command in a text; most texts hold none."""
    match command:
        case "wait":
            cancelled = threading.Event()
            with cancel.on_cancel(cancelled.set):
                cancelled.wait(FOREVER_S)
        case "deaf":
            time.sleep(FOREVER_S)
        case "native":  # and no other thread of this process runs meanwhile
            ctypes.PyDLL(None).sleep(int(FOREVER_S))
        case "exit":
            os._exit(3)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "print":
            print("to standard output", flush=True)
            os.write(1, b"and past Python\n")
            subprocess.run(["echo", "and from a child"], check=True)
        case "break":
            raise ValueError(command.upper())
        case "assert":
            raise AcceleratorError("CUDA error: device-side assert triggered")
        case "wrapped":
            try:
                raise RuntimeError("CUDA failed with error unspecified launch failure")
            except RuntimeError as error:
                raise EngineError("it cannot go on") from error
        case "memory":
            raise AcceleratorError("CUDA error: out of memory")
        case "refuse":
            raise EngineError("it does not want to", code="unwilling")
        case "unusable":
            raise UserError("--tts null: expected something else")


class _Null:
    info: Any

    def __init__(self, at_start: str = "", slots: int = 4) -> None:
        obey(at_start, CancelToken())
        self.info = replace(self.info, slots=slots)

    def close(self) -> None:
        """Nothing to free."""


class NullRecognizer(_Null):
    """Recognizes the number of samples, and their sum."""

    info = RecognizerInfo(name="null-stt", sample_rate_hz=RATE_HZ, languages=("en", "te"))

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        if cancel.cancelled:
            return Transcription("")
        samples += 1  # as engines do that clean what they are given
        notice = Notice("counted", "it counted")
        total = float(np.nan_to_num(samples).sum(dtype=np.float64)) - len(samples)
        return Transcription(f"{len(samples)} {total:.1f}", language or "en-auto", (notice,))


class NullStreamer(NullRecognizer):
    """A `NullRecognizer` that streams; with each piece it follows the command in the language."""

    info = replace(NullRecognizer.info, name="null-streamer", chunk_samples=RATE_HZ // 10)

    def open(self, language: str | None) -> "NullStream":
        return NullStream(language or "")


class NullStream:
    """A stream that reports how many samples it heard, and how many streams there are."""

    def __init__(self, command: str, heard: int = 0) -> None:
        self._command = command
        self._heard = heard
        _streams.add(self)

    def feed(self, samples: Samples, cancel: CancelToken) -> str:
        self._heard += len(samples)
        obey(self._command, cancel)
        return f"{self._heard}"

    def finish(self, cancel: CancelToken) -> Transcription:
        return Transcription(f"{self._heard} samples, {len(_streams)} streams")

    def fork(self) -> "NullStream | None":
        return None if self._command == "whole" else NullStream(self._command, self._heard)


_streams: weakref.WeakSet[NullStream] = weakref.WeakSet()


class NullChatModel(_Null):
    """Repeats the last message, word by word, and follows the commands in it; calls every function. Of
    audio it reports the length."""

    info = ChatModelInfo(name="null-llm", takes_tools=True, hears=True)

    def generate(
        self,
        messages: Sequence[ChatMessage],
        cancel: CancelToken,
        tools: Sequence[Tool] = (),
        tool_choice: str = ANY_TOOL,
    ) -> Iterator[str | ToolCall | Notice]:
        for tool in tools:
            yield ToolCall(tool_choice, tool.name, str(tool.parameters))
        if any(message.calls or message.answers for message in messages):
            yield Notice("called", str(messages))
        if (audio := messages[-1].audio) is not None:
            yield f"{len(audio.samples)} {audio.samples.sum():.1f} {audio.sample_rate_hz} "
        for word in messages[-1].content.split():
            if cancel.cancelled:
                return
            yield f"{word} "
            obey(word, cancel)


class NullSynthesizer(_Null):
    """Speaks for 200 ms for each word, then follows the command in it."""

    info = SynthesizerInfo(
        name="null-tts",
        device="nothing at all",
        sample_rate_hz=RATE_HZ,
        languages=("en",),
        voices=("low", "high"),
        voice_languages={"low": "en", "high": "te"},
    )

    def expect_voice(self, voice: str) -> None:
        obey(voice, CancelToken())
        if voice not in (*self.info.voices, "unlisted"):
            raise unknown_voice(self.info.voices, voice)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk | Notice]:
        if language not in (None, *self.info.languages):
            yield Notice("language_fallback", f"no {language}")
        for word in text.split():
            if cancel.cancelled:
                return
            samples = np.full(RATE_HZ // 5, 0.5 if voice == "high" else 0.25, np.float32)
            yield AudioChunk(samples, RATE_HZ, (WordTime(0, 8),))
            obey(word, cancel)


class ColdSynthesizer(NullSynthesizer):
    """Fails at its first call."""

    def warm_up(self) -> None:
        raise UserError("--tts null: the first call failed")


class NullResponder(_Null):
    """Repeats the question, with a piece of audio for each word, and obeys the command in it."""

    info = ResponderInfo(
        name="null-s2s",
        sample_rate_hz=RATE_HZ,
        voices=("low", "high"),
        takes_text=True,
        takes_tools=True,
    )

    def expect_voice(self, voice: str) -> None:
        expect_known(self.info.voices, voice)

    def respond(self, question: Question, cancel: CancelToken) -> Iterator[Answer]:
        yield UserWords(
            f"{len(question.samples)} {question.samples.sum():.1f}", question.settings.language
        )
        yield Notice("asked", str((question.settings, tuple(question.messages))))
        for tool in question.settings.tools:
            yield ToolCall(tool.name, question.settings.tool_choice, str(tool.parameters))
        level = 0.5 if question.settings.voice == "high" else 0.25
        for word in (question.text or "nothing").split():
            if cancel.cancelled:
                return
            yield SpokenPiece(AudioChunk(np.full(RATE_HZ // 5, level, np.float32), RATE_HZ), f"{word} ")
            obey(word, cancel)
        yield CutOff("length")


class NullDuplexModel(_Null):
    """Says what it hears, one frame later and more quietly; follows the command in the instructions
    with each frame, and that in the language when it opens a conversation."""

    info = DuplexInfo(
        name="null-duplex", sample_rate_hz=RATE_HZ, frame_samples=1280, voices=("low", "high")
    )

    def __init__(self, at_start: str = "", slots: int = 2) -> None:
        super().__init__(at_start, slots)
        self.taken = 0

    def open(self, settings: SessionSettings) -> "NullDuplexStream":
        if settings.voice is not None:
            expect_known(self.info.voices, settings.voice)
        obey(settings.language or "", CancelToken())
        if self.taken == self.info.slots:
            raise EngineBusy(f"null-duplex is busy: {self.taken} conversations are open")
        self.taken += 1
        return NullDuplexStream(self, settings.instructions or "")


class NullDuplexStream:
    """A conversation that counts its frames."""

    def __init__(self, model: NullDuplexModel, command: str) -> None:
        self._model: NullDuplexModel | None = model
        self._command = command
        self._last = np.zeros(0, np.float32)
        self.count = 0

    def answer(self, frame: Samples) -> tuple[Samples, str | None]:
        self.count += 1
        obey(self._command, CancelToken())
        last, self._last = self._last, 0.5 * clean(frame)
        return last, f"{self.count} " if self.count % 10 == 0 else None

    def close(self) -> None:
        if self._model is not None:
            self._model.taken -= 1
            self._model = None
