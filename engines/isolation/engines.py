"""Engines that compute in a process of their own: each is an engine like any other."""

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from catalogue.environments import python_of
from catalogue.registry import EngineSpec
from engines.isolation.stream import IsolatedStream
from engines.isolation.supervisor import Supervisor
from pipeline.messages import AudioChunk, ChatMessage, Notice, Samples, ToolCall
from pipeline.settings import ANY_TOOL, Tool
from pipeline.turn import CancelToken
from STT.base import Transcription
from utils.hub import fetched


class IsolatedEngine:
    """What all kinds have. Cancelled, a call ends as soon as the engine lets go; its slot is taken until
    then."""

    def __init__(self, spec: EngineSpec, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        states = supervisor.states
        fetched.update({name: Path(folder) for name, folder in states["fetched"].items()})
        self.name: str = states["name"]
        self.slots: int = states["slots"]
        self.sample_rate_hz: int = states.get("sample_rate_hz", 0)
        self.languages: tuple[str, ...] = tuple(states.get("languages", ()))
        where = (
            f"in the environment {spec.environment}" if spec.environment else "in a process of its own"
        )
        self.about = f"{states.get('about', spec.about)}; {where}"

    @property
    def pid(self) -> int | None:
        """Of its process; None while it is being started again."""
        return self._supervisor.pid

    def close(self) -> None:
        """End the process."""
        self._supervisor.close()


class IsolatedRecognizer(IsolatedEngine):
    """A `Recognizer`."""

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        """The words."""
        heard = list(self._supervisor.stream("transcribe", (samples, language), cancel))
        return heard[0] if heard else Transcription("")


class IsolatedStreamer(IsolatedRecognizer):
    """A `StreamingRecognizer`."""

    def __init__(self, spec: EngineSpec, supervisor: Supervisor) -> None:
        super().__init__(spec, supervisor)
        self.chunk_samples: int = supervisor.states["chunk_samples"]

    def open(self, language: str | None) -> IsolatedStream:
        """For a new utterance. Raises `EngineError`."""
        return IsolatedStream.open(self._supervisor, language)


class IsolatedChatModel(IsolatedEngine):
    """A `ChatModel`."""

    def __init__(self, spec: EngineSpec, supervisor: Supervisor) -> None:
        super().__init__(spec, supervisor)
        self.takes_tools: bool = supervisor.states["takes_tools"]
        self.hears: bool = supervisor.states["hears"]

    def generate(
        self,
        messages: Sequence[ChatMessage],
        cancel: CancelToken,
        tools: Sequence[Tool] = (),
        tool_choice: str = ANY_TOOL,
    ) -> Iterator[str | ToolCall | Notice]:
        """The answer, piece by piece."""
        return self._supervisor.stream("generate", (messages, tools, tool_choice), cancel)


class IsolatedSynthesizer(IsolatedEngine):
    """A `Synthesizer`."""

    def __init__(self, spec: EngineSpec, supervisor: Supervisor) -> None:
        super().__init__(spec, supervisor)
        self.voices: tuple[str, ...] = tuple(supervisor.states["voices"])
        self.voice_languages: dict[str, str] = supervisor.states.get("voice_languages", {})

    def expect_voice(self, voice: str) -> None:
        """Those that it states are known here; of others it is asked."""
        if voice not in self.voices:
            self._supervisor.ask("expect_voice", (voice,))

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Generator[AudioChunk | Notice, None, None]:
        """Speak one sentence."""
        return self._supervisor.stream("synthesize", (text, voice, language), cancel)


_KINDS = {"stt": IsolatedRecognizer, "llm": IsolatedChatModel, "tts": IsolatedSynthesizer}
"""By stage; what is not among them runs in the program."""


def isolate(spec: EngineSpec, settings: dict[str, Any], device: str, **limits: float) -> Any:
    """The engine of a row, loaded in a process of its own; it streams if the engine does. `device` is
    where it runs that can choose, as in ``--device``. Raises `UserError`."""
    spec.expect_installed()
    on = (device, spec.stage, spec.devices)
    start = {"engine": spec.module, "settings": settings, "device": on}
    supervisor = Supervisor(spec.name, python_of(spec.environment), spec.foreign, start, **limits)
    streams = "chunk_samples" in supervisor.states
    return (IsolatedStreamer if streams else _KINDS[spec.stage])(spec, supervisor)
