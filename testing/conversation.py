"""Conversation: a session on a clock that the test advances; real stages over scripted engines."""

from collections.abc import Callable
from typing import Any, TypeVar, overload

import numpy as np

from engines.engines import Cascade, Engines, Responder, Voice
from LLM.base import ChatModel
from LLM.chat import Chat
from pipeline.clock import SampleClock
from pipeline.events import Event, TurnDone
from pipeline.messages import Samples, Utterance
from pipeline.session import Session
from pipeline.settings import EndpointerSettings, SessionSettings
from pipeline.shared_engine import SharedEngine
from pipeline.turn import Origin, Turn
from S2S.base import SpeechResponder
from s2s_pipeline import build_pipeline
from STT.base import Recognizer
from testing.fakes import (
    RATE_HZ,
    LoudnessDetector,
    LoudnessRecognizer,
    ScriptedModel,
    ScriptedRecognizer,
    ScriptedSynthesizer,
)
from testing.sinks import RecordingSink
from TTS.base import Synthesizer
from VAD.base import SentenceJudge, TurnDetector
from VAD.turn_judges import TurnJudges

E = TypeVar("E")

WINDOW = LoudnessDetector.window_samples
QUICK = EndpointerSettings(min_silence_ms=192, min_speech_ms=64, speculate=False)
PATIENCE_S = 60.0
"""A pipeline that is not idle after this time hangs."""


def hear(session: Session, clock: SampleClock, window: Samples, ms: int, *, settle: bool = True) -> None:
    """Feed a window to a session repeatedly, for `ms` of its clock; with `settle`, all pending work is
    done before the clock advances."""
    for _ in range(-(-ms * RATE_HZ // 1000 // len(window))):
        clock.advance(len(window))
        if settle:
            settled(session)
        session.feed(window, RATE_HZ, clock.now() - len(window) / RATE_HZ)
        if settle:
            settled(session)


def settled(session: Session) -> None:
    """Wait until no stage has anything left to do at the clock's current time."""
    assert session.activity.wait_idle(PATIENCE_S), "the pipeline does not become idle"


class Conversation:
    """One user in front of a scripted pipeline, or in front of the end-to-end engine `s2s`. Time passes
    only in `speak`, `wait` and `until`."""

    def __init__(
        self,
        *,
        stt: ScriptedRecognizer | LoudnessRecognizer | None = None,
        llm: ScriptedModel | None = None,
        tts: ScriptedSynthesizer | None = None,
        s2s: SpeechResponder | None = None,
        endpointing: EndpointerSettings = QUICK,
        can_flush: bool = True,
        full_duplex: bool = False,
        turn_detector: TurnDetector | None = None,
        sentence_judge: SentenceJudge | None = None,
        settings: SessionSettings = SessionSettings(),
        check_sound: bool = False,
    ) -> None:
        """`check_sound`: see `Engines`; a `ScriptedSynthesizer` speaks constants."""
        self.stt: Any = stt or ScriptedRecognizer()
        self.llm = llm or ScriptedModel()
        self.tts = tts or ScriptedSynthesizer()
        self.s2s: Any = s2s
        self.clock = SampleClock(RATE_HZ)
        self.sink = RecordingSink(self.clock.now, can_flush=can_flush, full_duplex=full_duplex)
        self.chat = Chat()
        self.shared_stt: SharedEngine[Recognizer] = SharedEngine(self.stt)
        self.shared_llm: SharedEngine[ChatModel] = SharedEngine(self.llm)
        self.shared_tts: SharedEngine[Synthesizer] = SharedEngine(self.tts)
        voice: Voice = Cascade(self.shared_stt, self.shared_llm, self.shared_tts, lambda: self.chat)
        if s2s is not None:
            voice = Responder(SharedEngine(s2s), lambda: self.chat)
        judges = TurnJudges(
            None if turn_detector is None else SharedEngine(turn_detector),
            None if sentence_judge is None else SharedEngine(sentence_judge),
        )
        self._engines = Engines(LoudnessDetector(), endpointing, voice, judges, check_sound=check_sound)
        self.session = build_pipeline(self._engines, self.sink, settings=settings, clock=self.clock)
        self.clock.on_advance(self.session.playout.wake)
        self._mail = self.session.events.subscribe()
        self._events: list[Event] = []

    def __enter__(self) -> "Conversation":
        return self

    def __exit__(self, *_: object) -> None:
        for engine in (self.stt, self.llm, self.tts):
            engine.hold.open()
        self.session.close("the test is over")
        assert self.session.join(PATIENCE_S) == []
        self._engines.close()

    # -- the user ----------------------------------------------------------------------------------

    def speak(self, ms: int, *, level: float = 0.5, settle: bool = True) -> None:
        """Be loud; a `level` of 0.05 or more counts as speech."""
        self._feed(np.full(WINDOW, level, np.float32), ms, settle)

    def wait(self, ms: int, *, settle: bool = True) -> None:
        """Be silent."""
        self._feed(np.zeros(WINDOW, np.float32), ms, settle)

    def ask(self) -> None:
        """Speak, then be silent until the turn ends."""
        self.speak(320)
        self.wait(256)

    def until(self, happened: Callable[[], bool], ms: int = 60_000) -> None:
        """Be silent until `happened` returns True."""
        for _ in range(0, ms, 32):
            if happened():
                return
            self.wait(32)
        raise AssertionError(f"expected it to happen within {ms} ms; it did not")

    def until_done(self, turn: int) -> TurnDone:
        """Be silent until a turn is over."""
        self.until(lambda: bool(self.done(turn)))
        return self.done(turn)[0]

    def begin_tentative(self, samples: Samples | None = None) -> Turn:
        """Send an uncommitted turn down the pipeline, as speculation does."""
        turn = self.session.begin_turn(Origin.SPEECH)
        audio = np.full(8000, 0.5, np.float32) if samples is None else samples
        self.session.audio.offer(Utterance(turn, audio, RATE_HZ))
        return turn

    # -- the outcome -------------------------------------------------------------------------------

    def settle(self) -> None:
        """Wait until no stage has anything left to do at the clock's current time."""
        settled(self.session)

    @overload
    def events(self) -> list[Event]: ...

    @overload
    def events(self, *kinds: type[E]) -> list[E]: ...

    def events(self, *kinds: type) -> list[Any]:
        """All events so far, or those of the given kinds."""
        while (event := self._mail.fetch(0)) is not None:
            self._events.append(event)
        return [event for event in self._events if not kinds or isinstance(event, kinds)]

    def done(self, turn: int) -> list[TurnDone]:
        """The end of a turn; empty while it goes on."""
        return [event for event in self.events(TurnDone) if event.turn == turn]

    def _feed(self, window: Samples, ms: int, settle: bool) -> None:
        hear(self.session, self.clock, window, ms, settle=settle)
