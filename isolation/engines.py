"""Engines that compute in a process of their own: each is an engine like any other."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from isolation.environments import python_of
from isolation.keeper import Keeper
from pipeline.messages import AudioChunk, ChatMessage, Notice, Samples, ToolCall
from pipeline.registry import EngineRow
from pipeline.settings import ANY_TOOL, Tool
from pipeline.turn import CancelToken
from STT.base import Transcription
from utils.hub import fetched


class IsolatedEngine:
    """What all kinds have. Cancelled, a call ends as soon as the engine lets go; its slot is taken until
    then. `device` is where it runs that can choose, as in ``--device``."""

    def __init__(self, row: EngineRow, settings: dict[str, Any], device: str, **limits: float) -> None:
        row.expect_installed()
        on = (device, row.stage, row.devices)
        start = {"engine": row.module, "settings": settings, "device": on}
        self._keeper = Keeper(row.name, python_of(row.environment), row.foreign, start, **limits)
        states = self._keeper.states
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


class IsolatedChatModel(IsolatedEngine):
    """A `ChatModel`."""

    def __init__(self, row: EngineRow, settings: dict[str, Any], device: str, **limits: float) -> None:
        super().__init__(row, settings, device, **limits)
        self.takes_tools: bool = self._keeper.states["takes_tools"]
        self.hears: bool = self._keeper.states["hears"]

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

    def __init__(self, row: EngineRow, settings: dict[str, Any], device: str, **limits: float) -> None:
        super().__init__(row, settings, device, **limits)
        self.voices: tuple[str, ...] = tuple(self._keeper.states["voices"])
        self.voice_languages: Mapping[str, str] = self._keeper.states.get("voice_languages", {})

    def expect_voice(self, voice: str) -> None:
        """Those that it states are known here; of others it is asked."""
        if voice not in self.voices:
            self._keeper.ask("expect_voice", (voice,))

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Generator[AudioChunk | Notice, None, None]:
        """Speak one sentence."""
        return self._keeper.stream("synthesize", (text, voice, language), cancel)


KINDS = {"stt": IsolatedRecognizer, "llm": IsolatedChatModel, "tts": IsolatedSynthesizer}
"""By stage; what is not among them runs in the program."""
