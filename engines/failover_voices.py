"""VoiceFailover: several engines that have voices and act as one."""

from typing import Protocol, TypeVar

from engines.failover import LanguageFailover
from pipeline.engine_info import ResponderInfo, SynthesizerInfo
from pipeline.errors import EngineError
from pipeline.shared_engine import Engine
from utils.voices import unknown_voice


class _HasVoices(Engine, Protocol):
    @property
    def info(self) -> SynthesizerInfo | ResponderInfo: ...

    def expect_voice(self, voice: str) -> None: ...


V = TypeVar("V", bound=_HasVoices)


class VoiceFailover(LanguageFailover[V]):
    """Engines that have voices: a call with a voice goes to the first that has it; another engine speaks
    with its own."""

    def expect_voice(self, voice: str) -> None:
        """Accept the voices of all engines."""
        if not any(self._has_voice(engine, voice) for engine in self.engines):
            raise unknown_voice(self._all_voices(), voice, getattr(self.first.info, "voice", None))

    def _all_voices(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(voice for engine in self.engines for voice in engine.info.voices))

    @staticmethod
    def _has_voice(engine: V, voice: str | None) -> bool:
        """True if the engine has the voice, or none was chosen."""
        try:
            if voice is not None:
                engine.expect_voice(voice)
        except EngineError:
            return False
        return True
