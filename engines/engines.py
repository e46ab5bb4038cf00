"""Engines: loaded once, they serve every session."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from LLM.base import ChatModel
from LLM.chat import Chat
from pipeline.capabilities import Capabilities
from pipeline.messages import Samples
from pipeline.settings import EndpointerSettings
from pipeline.shared_engine import SharedEngine
from S2S.base import FrameResponder, SpeechResponder
from STT.base import Recognizer
from TTS.base import Synthesizer
from VAD.base import VoiceDetector
from VAD.shared_vad import SharedVAD
from VAD.turn_judges import NO_JUDGES, TurnJudges


@dataclass(frozen=True, slots=True)
class Cascade:
    """Speech to text, language model, text to speech; and how each conversation begins."""

    stt: SharedEngine[Recognizer]
    llm: SharedEngine[ChatModel]
    tts: SharedEngine[Synthesizer]
    new_chat: Callable[[], Chat] = Chat


@dataclass(frozen=True)
class Engines:
    """The engines of the program."""

    vad: VoiceDetector
    endpointing: EndpointerSettings
    voice: Cascade | SharedEngine[SpeechResponder]
    turn_judges: TurnJudges = NO_JUDGES
    new_enhancer: Callable[[int], Callable[[Samples], Samples]] | None = None
    """Makes, for a sample rate, the noise suppressor of one conversation; None: there is none."""

    @functools.cached_property
    def shared_vad(self) -> SharedVAD:
        """The voice detector that serves every session."""
        return SharedVAD(self.vad)

    @property
    def shared(self) -> tuple[SharedEngine[Any], ...]:
        """The engines whose calls wait for a slot."""
        voice = self.voice
        return (voice.stt, voice.llm, voice.tts) if isinstance(voice, Cascade) else (voice,)

    @property
    def capabilities(self) -> Capabilities:
        """The capabilities of sessions over these engines."""
        voice, semantic = self.voice, bool(self.turn_judges) and self.endpointing.semantic
        names = " + ".join(engine.engine.info.name for engine in self.shared)
        common = Capabilities(endpointing=self.endpointing, semantic=semantic, name=names)
        if isinstance(voice, Cascade):
            model, synthesizer = voice.llm.engine, voice.tts.engine
            return replace(
                common,
                texts=True,
                tools=model.info.takes_tools,
                voices=synthesizer.info.voices,
                expect_voice=synthesizer.expect_voice,
            )
        return replace(common, frames=isinstance(voice.engine, FrameResponder))

    def have_room(self) -> bool:
        """True if every engine has a free slot, so that speculative work delays no other call."""
        return all(engine.free_slots for engine in self.shared)

    def close(self) -> None:
        """Free the weights, except those of an engine with a call that does not return."""
        self.turn_judges.close()  # first, since they may use the language model
        for engine in self.shared:
            engine.close()
