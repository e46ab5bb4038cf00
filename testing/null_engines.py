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

from pipeline.engine_info import ChatModelInfo, RecognizerInfo, SynthesizerInfo
from pipeline.errors import EngineError, UserError
from pipeline.messages import AudioChunk, ChatMessage, Notice, Samples, ToolCall, WordTime
from pipeline.settings import ANY_TOOL, Tool
from pipeline.turn import CancelToken
from STT.base import Transcription
from testing.hold import FOREVER_S
from utils.voices import unknown_voice

RATE_HZ = 16000


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
        about="nothing at all",
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
