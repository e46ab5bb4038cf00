"""Engines that compute in a process of their own: each is an engine like any other."""

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from catalogue.environments import python_of
from catalogue.registry import EngineRow
from engines.isolation.stream import IsolatedStream
from engines.isolation.supervisor import Keeper
from pipeline.messages import AudioChunk, ChatMessage, Notice, Samples, ToolCall
from pipeline.settings import ANY_TOOL, Tool
from pipeline.turn import CancelToken
from STT.base import Transcription
from utils.hub import fetched


class IsolatedEngine:
    """What all kinds have. Cancelled, a call ends as soon as the engine lets go; its slot is taken until
    then."""

    def __init__(self, row: EngineRow, keeper: Keeper) -> None:
        self._keeper = keeper
        states = keeper.states
        fetched.update({name: Path(folder) for name, folder in states["fetched"].items()})
        self.name: str = states["name"]
        self.slots: int = states["slots"]
        self.sample_rate_hz: int = states.get("sample_rate_hz", 0)
        self.languages: tuple[str, ...] = tuple(states.get("languages", ()))
        where = f"in the environment {row.environment}" if row.environment else "in a process of its own"
        self.about = f"{states.get('about', row.about)}; {where}"

    @property
    def pid(self) -> int | None:
        """Of its process; None while it is being started again."""
        return self._keeper.pid

    def close(self) -> None:
        """End the process."""
        self._keeper.close()


class IsolatedRecognizer(IsolatedEngine):
    """A `Recognizer`."""

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        """The words."""
        heard = list(self._keeper.stream("transcribe", (samples, language), cancel))
        return heard[0] if heard else Transcription("")


class IsolatedStreamer(IsolatedRecognizer):
    """A `StreamingRecognizer`."""

    def __init__(self, row: EngineRow, keeper: Keeper) -> None:
        super().__init__(row, keeper)
        self.chunk_samples: int = keeper.states["chunk_samples"]

    def open(self, language: str | None) -> IsolatedStream:
        """For a new utterance. Raises `EngineError`."""
        return IsolatedStream.open(self._keeper, language)


class IsolatedChatModel(IsolatedEngine):
    """A `ChatModel`."""

    def __init__(self, row: EngineRow, keeper: Keeper) -> None:
        super().__init__(row, keeper)
        self.takes_tools: bool = keeper.states["takes_tools"]
        self.hears: bool = keeper.states["hears"]

    def generate(
        self,
        messages: Sequence[ChatMessage],
        cancel: CancelToken,
        tools: Sequence[Tool] = (),
        tool_choice: str = ANY_TOOL,
    ) -> Iterator[str | ToolCall | Notice]:
        """The answer, piece by piece."""
        return self._keeper.stream("generate", (messages, tools, tool_choice), cancel)


class IsolatedSynthesizer(IsolatedEngine):
    """A `Synthesizer`."""

    def __init__(self, row: EngineRow, keeper: Keeper) -> None:
        super().__init__(row, keeper)
        self.voices: tuple[str, ...] = tuple(keeper.states["voices"])
        self.voice_languages: dict[str, str] = keeper.states.get("voice_languages", {})

    def expect_voice(self, voice: str) -> None:
        """Those that it states are known here; of others it is asked."""
        if voice not in self.voices:
            self._keeper.ask("expect_voice", (voice,))

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Generator[AudioChunk | Notice, None, None]:
        """Speak one sentence."""
        return self._keeper.stream("synthesize", (text, voice, language), cancel)


_KINDS = {"stt": IsolatedRecognizer, "llm": IsolatedChatModel, "tts": IsolatedSynthesizer}
"""By stage; what is not among them runs in the program."""


def isolate(row: EngineRow, settings: dict[str, Any], device: str, **limits: float) -> Any:
    """The engine of a row, loaded in a process of its own; it streams if the engine does. `device` is
    where it runs that can choose, as in ``--device``. Raises `UserError`."""
    row.expect_installed()
    on = (device, row.stage, row.devices)
    start = {"engine": row.module, "settings": settings, "device": on}
    keeper = Keeper(row.name, python_of(row.environment), row.foreign, start, **limits)
    streams = "chunk_samples" in keeper.states
    return (IsolatedStreamer if streams else _KINDS[row.stage])(row, keeper)
