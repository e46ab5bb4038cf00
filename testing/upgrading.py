"""House and Talker: engines that a test replaces, and a user who talks with them meanwhile."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from catalog.offers import Offer
from command_line.parse import parse_command_line
from engines.engines import Cascade, Engines
from engines.offer_state import OfferState
from engines.upgrades import Upgrades
from LLM.chat import Chat
from pipeline.clock import SampleClock
from pipeline.engine_info import ChatModelInfo, SynthesizerInfo
from pipeline.events import TurnDone
from pipeline.messages import AudioChunk
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from s2s_pipeline import build_pipeline
from testing.conversation import PATIENCE_S, QUICK, WINDOW, hear
from testing.fakes import RATE_HZ, LoudnessDetector, ScriptedModel, ScriptedRecognizer
from testing.hold import Hold
from testing.sinks import RecordingSink
from utils.progress import Progress
from utils.voices import expect_known

LONG = "A first sentence of some length. A second one, which is longer still. And a third one."


class Tone:
    """A synthesizer at a rate of its own: 10 ms of a tone for each character, in blocks of 50 ms."""

    def __init__(
        self, name: str, rate_hz: int, *voices: str, languages: tuple[str, ...] = ("en",)
    ) -> None:
        self.info = SynthesizerInfo(
            name=name, sample_rate_hz=rate_hz, voices=voices, languages=languages
        )
        self.hold = Hold()
        self.spoken: list[tuple[str, str | None]] = []
        self.closed = False

    def expect_voice(self, voice: str) -> None:
        expect_known(self.info.voices, voice)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        assert not self.closed
        self.spoken.append((text, voice))
        rate_hz = self.info.sample_rate_hz
        for _ in range(0, 10 * len(text), 50):
            self.hold.pass_through(cancel)
            tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(rate_hz // 20) / rate_hz)
            yield AudioChunk(tone.astype(np.float32), rate_hz)

    def close(self) -> None:
        self.closed = True


class Mind(ScriptedModel):
    """Answers with its name and a sentence."""

    def __init__(self, name: str, reply: str = LONG, *, takes_tools: bool = False) -> None:
        super().__init__(f"{name}. {reply}", slots=2)
        self.info = ChatModelInfo(name=name, slots=2, takes_tools=takes_tools)
        self.closed = False

    def close(self) -> None:
        self.closed = True


VOICE = Offer(
    "better-voice", "tts", "Better", "sounds better", 1000, "MIT",
    engine="espeak", model="someone/voice", instead_of=("plain",),
)  # fmt: skip
OTHER_VOICE = replace(VOICE, name="other-voice", title="Other")
MIND = Offer(
    "better-mind", "llm", "Clever", "knows more", 2000, "MIT",
    engine="eliza", model="someone/mind", instead_of=("simple",),
)  # fmt: skip
SERVED_MIND = replace(MIND, name="served-mind", engine="openai")
OFFERS = (VOICE, OTHER_VOICE, MIND, SERVED_MIND)


class House:
    """Engines, their upgrades, and what was fetched and loaded."""

    def __init__(self, *offers: Offer, argv: tuple[str, ...] = ()) -> None:
        self.ears, self.mind = ScriptedRecognizer(), Mind("simple")
        self.voice = Tone("plain", 16000, "low", "high", languages=("en", "te"))
        self.engines = Engines(
            LoudnessDetector(),
            QUICK,
            Cascade(
                SharedEngine(self.ears),
                SharedEngine(self.mind),
                SharedEngine(self.voice),
                lambda: Chat(chat_size=100),
            ),
        )
        self.loaded: list[Any] = []
        self.fetched = Hold()
        self.problem: Exception | None = None
        arguments = parse_command_line(argv)
        self.upgrades = Upgrades(
            self.engines, arguments, offers or OFFERS, fetch=self._fetch, load=self._load
        )

    def _fetch(self, offer: Offer, on_progress: Progress) -> None:
        for done in range(0, offer.size_bytes + 1, offer.size_bytes // 4):
            on_progress(done, offer.size_bytes)
            self.fetched.pass_through(CancelToken())
        if self.problem is not None:
            raise self.problem

    def _load(self, arguments: Any, offer: Offer) -> Any:
        engine: Any = Mind("clever", takes_tools=True)
        if offer.stage == "tts":
            engine = Tone("better", 24000, "low", "alto")
        self.loaded.append(engine)
        return engine

    def use(self, name: str) -> list[OfferState]:
        """Begin an offer, and wait until it is in use or has failed."""
        states: list[OfferState] = []
        over = threading.Event()

        def on_change(state: OfferState) -> None:
            states.append(state)
            if state.is_final:
                over.set()

        self.upgrades.begin(name, on_change)
        assert over.wait(PATIENCE_S)
        return states

    def states(self) -> dict[str, str]:
        return {state.offer.name: state.state for state in self.upgrades.offers()}


class Talker:
    """One user, on a clock of their own."""

    def __init__(self, house: House) -> None:
        self.clock = SampleClock(RATE_HZ)
        self.sink = RecordingSink(self.clock.now)
        self.session = build_pipeline(house.engines, self.sink, clock=self.clock)
        self.clock.on_advance(self.session.playout.wake)
        self._mail = self.session.events.subscribe()
        self._events: list[Any] = []

    def speak(self, ms: int) -> None:
        hear(self.session, self.clock, np.full(WINDOW, 0.5, np.float32), ms)

    def wait(self, ms: int, *, settle: bool = True) -> None:
        hear(self.session, self.clock, np.zeros(WINDOW, np.float32), ms, settle=settle)

    def until_done(self, turn: int) -> TurnDone:
        for _ in range(2000):
            for event in self.events(TurnDone):
                if isinstance(event, TurnDone) and event.turn == turn:
                    return event
            self.wait(32)
        raise AssertionError(f"turn {turn} does not end")

    def ask(self, text: str) -> TurnDone:
        """Type, and listen to the end of the answer."""
        return self.until_done(self.session.respond(text).number)

    def events(self, kind: type) -> list[Any]:
        while (event := self._mail.fetch(0)) is not None:
            self._events.append(event)
        return [event for event in self._events if isinstance(event, kind)]

    def close(self) -> None:
        self.session.close("the test is over")
        assert self.session.join(PATIENCE_S) == []
