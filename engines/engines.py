"""Engines: loaded once, they serve every session."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from catalog.registry import CASCADE
from engines.describing import describe
from LLM.base import ChatModel
from LLM.chat import Chat
from pipeline.capabilities import Capabilities
from pipeline.messages import Samples
from pipeline.places import Places
from pipeline.settings import EndpointerSettings
from pipeline.shared_engine import SharedEngine
from pipeline.sound_check import SoundSource
from S2S.base import DuplexModel, FrameResponder, SpeechResponder
from S2S.realtime.chat import ServedChat
from STT.base import Recognizer
from TTS.base import Synthesizer
from utils.voices import expect_known
from VAD.base import VoiceDetector
from VAD.shared_vad import SharedVAD
from VAD.turn_judges import NO_JUDGES, TurnJudges

if TYPE_CHECKING:
    from S2S.realtime.model import RealtimeModel


@dataclass(frozen=True, slots=True)
class Cascade:
    """Speech to text, language model, text to speech; and how each conversation begins."""

    stt: SharedEngine[Recognizer]
    llm: SharedEngine[ChatModel]
    tts: SharedEngine[Synthesizer]
    new_chat: Callable[[], Chat] = Chat


@dataclass(frozen=True, slots=True)
class Responder:
    """An end-to-end engine that answers turn by turn, and the beginning of each conversation."""

    s2s: SharedEngine[SpeechResponder]
    new_chat: Callable[[], Chat] = Chat


@dataclass(frozen=True, slots=True)
class Duplex:
    """A full-duplex model. It needs no voice detector."""

    s2s: SharedEngine[DuplexModel]


@dataclass(frozen=True, slots=True)
class Live:
    """A server that hears the user and detects the turns itself, and the beginning of each
    conversation."""

    s2s: "SharedEngine[RealtimeModel]"
    new_chat: Callable[[], ServedChat] = ServedChat


Voice: TypeAlias = Cascade | Responder | Duplex | Live
"""The engines that turn speech into an answer."""


@dataclass(frozen=True)
class Engines:
    """The engines of the program."""

    vad: VoiceDetector | None
    """None: the model takes turns itself."""
    endpointing: EndpointerSettings
    voice: Voice
    turn_judges: TurnJudges = NO_JUDGES
    new_enhancer: Callable[[int], Callable[[Samples], Samples]] | None = None
    """Makes, for a sample rate, the noise suppressor of one conversation; None: there is none."""
    hints: Mapping[str, str] = field(default_factory=dict)
    """Stage ▶ what one can do for a better engine."""
    check_sound: bool = True
    """False: audio of the engines is played unchecked. For tests whose engines have random weights or
    speak constants; no flag and no variable sets it."""

    @functools.cached_property
    def shared_vad(self) -> SharedVAD:
        """The voice detector that serves every session."""
        assert self.vad is not None
        return SharedVAD(self.vad)

    @functools.cached_property
    def places(self) -> Places:
        """The places for conversations, which only a full-duplex model limits: it holds a state for
        each."""
        voice = self.voice
        return Places(voice.s2s.engine.info.slots) if isinstance(voice, Duplex) else Places()

    @property
    def capture(self) -> tuple[int, int]:
        """The sample rate of the microphone's audio, in Hz, and the samples in a window of it."""
        if isinstance(self.voice, (Duplex, Live)):
            info = self.voice.s2s.engine.info
            return info.sample_rate_hz, info.frame_samples
        assert self.vad is not None
        return self.vad.sample_rate_hz, self.vad.window_samples

    @property
    def shared(self) -> tuple[SharedEngine[Any], ...]:
        """The engines whose calls wait for a slot."""
        voice = self.voice
        return (voice.stt, voice.llm, voice.tts) if isinstance(voice, Cascade) else (voice.s2s,)

    def _loaded(self) -> dict[str, Any]:
        """Stage ▶ engine."""
        voice = self.voice
        cascade = isinstance(voice, Cascade)
        stages = CASCADE if cascade else ("s2s",)
        loaded = zip(stages, (engine.engine for engine in self.shared), strict=True)
        return dict(loaded) if self.vad is None else {"vad": self.vad, **dict(loaded)}

    @property
    def sound_source(self) -> SoundSource:
        """The engine that makes the audio of sessions."""
        voice, speaker = self.voice, self.shared[-1]
        return SoundSource(
            "tts" if isinstance(voice, Cascade) else "s2s",
            lambda: str(speaker.engine.info.name),
            is_duplex=isinstance(voice, Duplex),
            is_framed=isinstance(speaker.engine, FrameResponder),
            is_checked=self.check_sound,
        )

    @functools.cached_property
    def capabilities(self) -> Capabilities:
        """The capabilities of sessions over these engines: one object, which follows each `replace`."""
        return self._capabilities()

    def shared_by(self, stage: str) -> SharedEngine[Any] | None:
        """The engine of one of the stages of a cascade; None: there is no cascade."""
        return getattr(self.voice, stage) if isinstance(self.voice, Cascade) else None

    def replace(self, stage: str, engine: Any) -> Any:
        """Replace the engine of a stage of the cascade, also for the conversations that run; returns the
        one before, which is kept: see `SharedEngine.replace`."""
        shared = self.shared_by(stage)
        assert shared is not None
        before = shared.replace(engine)
        self.capabilities.become(self._capabilities())
        return before

    def _capabilities(self) -> Capabilities:
        voice, semantic = self.voice, bool(self.turn_judges) and self.endpointing.semantic
        names = " + ".join(engine.engine.info.name for engine in self.shared)
        common = Capabilities(
            endpointing=self.endpointing,
            semantic=semantic,
            name=names,
            describe=lambda: describe(self._loaded(), self.hints),
            sound_source=self.sound_source,
        )
        if isinstance(voice, Cascade):
            model, synthesizer = voice.llm.engine, voice.tts.engine
            return replace(
                common,
                texts=True,
                reads_aloud=True,
                tools=model.info.takes_tools,
                voices=synthesizer.info.voices,
                expect_voice=synthesizer.expect_voice,
                recognizer=voice.stt if voice.stt.engine.info.writes else None,
                detector=self.vad,
                synthesizer=voice.tts,
            )
        if isinstance(voice, Duplex):
            return replace(
                common,
                duplex=True,
                free_places=lambda: self.places.free,
                voices=voice.s2s.engine.info.voices,
                expect_voice=functools.partial(expect_known, voice.s2s.engine.info.voices),
            )
        if isinstance(voice, Live):
            server = voice.s2s.engine
            return replace(
                common,
                texts=True,
                tools=True,
                live=True,
                voices=server.info.voices,
                expect_voice=server.expect_voice,
            )
        engine = voice.s2s.engine
        return replace(
            common,
            texts=engine.info.takes_text,
            tools=engine.info.takes_tools,
            frames=isinstance(engine, FrameResponder),
            voices=engine.info.voices,
            expect_voice=engine.expect_voice,
        )

    def have_room(self) -> bool:
        """True if every engine has a free slot, so that speculative work delays no other call."""
        return all(engine.free_slots for engine in self.shared)

    def close(self) -> None:
        """Free the weights, except those of an engine with a call that does not return."""
        self.turn_judges.close()  # first, since they may use the language model
        for engine in self.shared:
            engine.close()
