"""Engines that compute in a process of their own: each is an engine like any other."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from catalog.environments import python_of
from catalog.registry import EngineSpec
from engines.isolation import codec
from engines.isolation.stream import IsolatedFrameStream, IsolatedStream
from engines.isolation.supervisor import Supervisor
from LLM.thoughts import Piece
from pipeline.engine_info import (
    ChatModelInfo,
    DuplexInfo,
    EngineInfo,
    RecognizerInfo,
    ResponderInfo,
    SynthesizerInfo,
)
from pipeline.messages import AudioChunk, ChatMessage, Notice, Samples
from pipeline.settings import ANY_TOOL, SessionSettings, Tool
from pipeline.turn import CancelToken
from S2S.base import Answer, Question
from STT.base import Transcription
from utils.hub import fetched

Info = TypeVar("Info", bound=EngineInfo)
SpeakerInfo = TypeVar("SpeakerInfo", SynthesizerInfo, ResponderInfo)


class IsolatedEngine(Generic[Info]):
    """The common part of all kinds. A cancelled call ends as soon as the engine lets go; its slot is
    taken until then."""

    def __init__(self, info: Info, supervisor: Supervisor) -> None:
        self.info = info
        self._supervisor = supervisor

    @property
    def pid(self) -> int | None:
        """Process id; None while the process is being started again."""
        return self._supervisor.pid

    def close(self) -> None:
        """End the process."""
        self._supervisor.close()


class IsolatedRecognizer(IsolatedEngine[RecognizerInfo]):
    """A `Recognizer`."""

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        """The words."""
        heard = list(self._supervisor.stream("transcribe", (samples, language), cancel))
        return heard[0] if heard else Transcription("")


class IsolatedStreamer(IsolatedRecognizer):
    """A `StreamingRecognizer`."""

    def open(self, language: str | None) -> IsolatedStream:
        """Open a stream for a new utterance. Raises `EngineError`."""
        return IsolatedStream.open(self._supervisor, language)


class IsolatedChatModel(IsolatedEngine[ChatModelInfo]):
    """A `ChatModel`."""

    def generate(
        self,
        messages: Sequence[ChatMessage],
        cancel: CancelToken,
        tools: Sequence[Tool] = (),
        tool_choice: str = ANY_TOOL,
    ) -> Iterator[Piece]:
        """The answer, piece by piece."""
        return self._supervisor.stream("generate", (messages, tools, tool_choice), cancel)


class IsolatedVoices(IsolatedEngine[SpeakerInfo]):
    """The common part of the engines that have voices."""

    def expect_voice(self, voice: str) -> None:
        """Accept the voices that it states; for others, ask the engine."""
        if voice not in self.info.voices:
            self._supervisor.ask("expect_voice", (voice,))


class IsolatedSynthesizer(IsolatedVoices[SynthesizerInfo]):
    """A `Synthesizer`."""

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Generator[AudioChunk | Notice, None, None]:
        """Speak one sentence."""
        return self._supervisor.stream("synthesize", (text, voice, language), cancel)


class IsolatedResponder(IsolatedVoices[ResponderInfo]):
    """A `SpeechResponder`."""

    def respond(self, question: Question, cancel: CancelToken) -> Iterator[Answer]:
        """The answer, piece by piece."""
        return self._supervisor.stream("respond", (question,), cancel)


class IsolatedFrameResponder(IsolatedResponder):
    """A `SpeechResponder` that is also a `FrameResponder`."""

    def open(self) -> IsolatedFrameStream:
        """Open a stream for a new utterance. Raises `EngineError`."""
        return IsolatedFrameStream.open(self._supervisor)


class IsolatedDuplexModel(IsolatedEngine[DuplexInfo]):
    """A `DuplexModel`."""

    def open(self, settings: SessionSettings) -> IsolatedFrameStream:
        """Open a new conversation. Raises `EngineError`."""
        return IsolatedFrameStream.open(self._supervisor, settings)


def isolate(spec: EngineSpec, settings: dict[str, Any], device: str, **limits: float) -> Any:
    """The engine of a row of the catalog, loaded in a process of its own; it streams if the engine
    does. `device` is that of ``--device``. Raises `UserError`."""
    spec.expect_installed()
    on = (device, spec.stage, spec.devices)
    start = {"engine": spec.module, "settings": settings, "device": on}
    supervisor = Supervisor(spec.name, python_of(spec.environment), spec.foreign, start, **limits)
    fetched.update({name: Path(folder) for name, folder in supervisor.states["fetched"].items()})
    info = codec.unpack(supervisor.states["info"], b"")
    where = f"the environment {spec.environment}" if spec.environment else "a process of its own"
    if info.device:  # else a server computes
        info = replace(info, device=f"{info.device}, in {where}")
    match info:
        case RecognizerInfo():
            return (IsolatedStreamer if info.chunk_samples else IsolatedRecognizer)(info, supervisor)
        case ChatModelInfo():
            return IsolatedChatModel(info, supervisor)
        case SynthesizerInfo():
            return IsolatedSynthesizer(info, supervisor)
        case ResponderInfo():
            kind = IsolatedFrameResponder if info.frame_samples else IsolatedResponder
            return kind(info, supervisor)
        case DuplexInfo():
            return IsolatedDuplexModel(info, supervisor)
    raise AssertionError(f"no engine like {spec.name} runs in a process of its own")
