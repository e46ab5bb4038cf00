"""Upgrades: better engines are put to use, and taken back, while conversations go on."""

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from catalog.offers import Offer
from command_line.parse import parse_command_line
from engines.engines import Cascade, Engines
from engines.upgrades import OfferState, UnknownOfferError, Upgrades
from LLM.chat import Chat
from pipeline.clock import SampleClock
from pipeline.engine_info import ChatModelInfo, SynthesizerInfo
from pipeline.errors import EngineBusy, EngineError, UserError
from pipeline.events import ErrorEvent, NoticeGiven, TurnDone
from pipeline.messages import AudioChunk
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from s2s_pipeline import build_pipeline
from testing.conversation import PATIENCE_S, QUICK, WINDOW, hear, settled
from testing.fakes import RATE_HZ, LoudnessDetector, ScriptedModel, ScriptedRecognizer
from testing.hold import Hold
from testing.sinks import RecordingSink
from utils.progress import Progress
from utils.voices import expect_known

SHORT = "A short answer."
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


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    yield house
    house.upgrades.close()
    house.engines.close()


@pytest.fixture
def new_talker(house: House) -> Iterator[Callable[[], Talker]]:
    talkers: list[Talker] = []

    def new() -> Talker:
        talkers.append(Talker(house))
        return talkers[-1]

    yield new
    house.voice.hold.open()
    for talker in talkers:
        talker.close()


# -- states ----------------------------------------------------------------------------------------


def test_an_offer_is_fetched_loaded_and_used(house: House) -> None:
    assert house.states()["better-voice"] == "available"
    seen = [(state.state, state.progress) for state in house.use("better-voice")]
    assert seen == [
        *[("downloading", share) for share in (0.0, 0.25, 0.5, 0.75, 1.0)],
        ("loading", 1.0),
        ("in_use", 1.0),
    ]
    assert house.states()["better-voice"] == "in_use"
    assert house.use("better-voice")[0].state == "in_use"
    assert len(house.loaded) == 1


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (UserError("the disk is full"), "the disk is full"),
        (EngineError("it makes no sound"), "it makes no sound"),
        (RuntimeError("secret"), "Better cannot be used: RuntimeError, see the log"),
    ],
)
def test_what_fails_is_one_sentence_and_may_be_tried_again(
    house: House, problem: Exception, sentence: str
) -> None:
    house.problem = problem
    last = house.use("better-voice")[-1]
    assert (last.state, last.error) == ("failed", sentence)
    assert house.engines.shared_by("tts").engine is house.voice  # type: ignore[union-attr]
    house.problem = None
    assert house.use("better-voice")[-1].state == "in_use"


def test_one_at_a_time_and_another_client_joins_in(house: House) -> None:
    house.fetched.close()
    first, second = list[str](), list[str]()
    over = threading.Barrier(3)

    def told(states: list[str]) -> Callable[[OfferState], None]:
        def on_change(state: OfferState) -> None:
            states.append(state.state)
            if state.is_final:
                threading.Thread(target=over.wait, daemon=True).start()

        return on_change

    house.upgrades.begin("better-voice", told(first))
    house.fetched.wait_until_reached()
    house.upgrades.begin("better-voice", told(second))
    with pytest.raises(EngineBusy, match="Better is being fetched; wait until it is there"):
        house.upgrades.begin("better-mind", print)
    house.fetched.open()
    over.wait(PATIENCE_S)
    assert first[-1] == second[-1] == "in_use"
    assert second[0] == "downloading"
    assert len(house.loaded) == 1


def test_what_is_not_offered(house: House) -> None:
    with pytest.raises(UnknownOfferError, match=r"expected an offer .*better-voice.*, got 'gold'"):
        house.upgrades.begin("gold", print)
    with pytest.raises(UnknownOfferError):
        house.upgrades.undo("gold")
    with pytest.raises(EngineError, match="Better is not in use"):
        house.upgrades.undo("better-voice")


@pytest.mark.parametrize(
    ("offer", "argv"),
    [
        (replace(VOICE, instead_of=("something else",)), ()),
        (replace(VOICE, memory_bytes=1 << 60), ()),
        (replace(VOICE, engine="bark"), ()),
        (replace(VOICE, languages=("en",)), ("--language", "te")),
        (VOICE, ("--tts", "espeak")),
    ],
    ids=["not better", "too large", "a package is missing", "another language", "the user chose"],
)
def test_only_what_is_better_and_runs_here_is_offered(offer: Offer, argv: tuple[str, ...]) -> None:
    if offer.engine == "bark" and find_spec("torch"):
        pytest.skip("the package is there")
    house = House(offer, argv=argv)
    assert house.states() == {}
    house.engines.close()


def test_the_end_of_the_program_ends_a_download(house: House) -> None:
    house.fetched.close()
    last: list[OfferState] = []
    over = threading.Event()

    def on_change(state: OfferState) -> None:
        last.append(state)
        if state.is_final:
            over.set()

    house.upgrades.begin("better-voice", on_change)
    house.fetched.wait_until_reached()
    house.upgrades.close()
    house.fetched.open()
    assert over.wait(PATIENCE_S)
    assert (last[-1].state, last[-1].error) == ("failed", "the program ends")
    assert not house.loaded
    with pytest.raises(EngineBusy, match="the program ends"):
        house.upgrades.begin("better-mind", print)


# -- in conversations ------------------------------------------------------------------------------


def test_a_sentence_ends_with_the_voice_it_began_with_and_the_next_has_the_new_one(
    house: House, new_talker: Callable[[], Talker]
) -> None:
    talker = new_talker()
    house.voice.hold.close()
    turn = talker.session.respond("Hello.")
    house.voice.hold.wait_until_reached()
    house.use("better-voice")
    house.voice.hold.open()
    settled(talker.session)
    done = talker.until_done(turn.number)
    first, *rest = f"simple. {LONG}".replace(". ", ".|").split("|")
    assert (done.state, done.heard) == ("done", f"simple. {LONG}")
    assert [text for text, _ in house.voice.spoken] == [first]
    assert [text for text, _ in house.loaded[0].spoken] == rest
    heard_s = len(talker.sink.frames) * 0.02
    expected_s = sum(50 * -(-10 * len(text) // 50) for text in (first, *rest)) / 1000
    assert heard_s == pytest.approx(expected_s, abs=0.05), "each at its own rate"


def test_the_conversation_goes_on_and_comes_back(house: House, new_talker: Callable[[], Talker]) -> None:
    talker, other = new_talker(), new_talker()
    talker.ask("My name is Ada.")
    house.use("better-mind")
    assert talker.ask("What is my name?").heard.startswith("clever.")
    assert other.ask("Who are you?").heard.startswith("clever.")
    asked = [message.content for message in house.loaded[0].prompts[0]]
    assert "My name is Ada." in asked
    assert f"simple. {LONG}" in asked
    assert house.upgrades.undo("better-mind").state == "available"
    assert talker.ask("And now?").heard.startswith("simple.")
    asked = [message.content for message in house.mind.prompts[-1]]
    assert asked[1::2][:3] == ["My name is Ada.", "What is my name?", "And now?"]
    assert house.loaded[0].closed
    assert not house.mind.closed


def test_capabilities_follow(house: House, new_talker: Callable[[], Talker]) -> None:
    talker = new_talker()
    capabilities = talker.session.capabilities
    assert (capabilities.voices, capabilities.tools) == (("low", "high"), False)
    house.use("better-voice")
    house.use("better-mind")
    assert (capabilities.voices, capabilities.tools) == (("low", "alto", "high"), True)
    assert capabilities.name == "scripted-stt + clever + better,plain"
    talker.session.change_settings(replace(talker.session.settings, voice="alto"))
    assert talker.ask("Hello.").state == "done"
    assert {voice for _, voice in house.loaded[0].spoken} == {"alto"}
    house.upgrades.undo("better-voice")
    assert capabilities.voices == ("low", "high")
    assert talker.ask("Hello again.").state == "done"
    assert {voice for _, voice in house.voice.spoken} == {None}
    notices = [event.text for event in talker.events(NoticeGiven)]
    assert "plain has no voice 'alto'; it speaks with its own" in notices


def test_what_the_new_voice_cannot_the_old_one_does(
    house: House, new_talker: Callable[[], Talker]
) -> None:
    """A language, a voice, or anything at all once it fails."""
    house.use("better-voice")
    talker = new_talker()
    talker.session.change_settings(replace(talker.session.settings, language="te"))
    talker.ask("Telugu.")
    assert not house.loaded[0].spoken
    talker.session.change_settings(replace(talker.session.settings, language="en", voice="high"))
    talker.ask("Still the voice that was chosen.")
    assert {voice for _, voice in house.voice.spoken} == {None, "high"}
    talker.session.change_settings(replace(talker.session.settings, voice=None))
    house.loaded[0].synthesize = None
    assert talker.ask("It is broken.").state == "done"
    assert any("better failed" in event.text for event in talker.events(NoticeGiven))


def test_a_mind_on_a_server_has_the_old_one_behind_it(
    house: House, new_talker: Callable[[], Talker]
) -> None:
    house.use("served-mind")
    talker = new_talker()
    assert talker.ask("Hello.").heard.startswith("clever.")
    house.loaded[0].error_after_words = (0, EngineError("the server is gone"))
    assert talker.ask("Hello?").heard.startswith("simple.")
    house.upgrades.undo("served-mind")
    assert house.loaded[0].closed
    assert not house.mind.closed


def test_undo_goes_one_step_back_and_then_to_the_beginning(house: House) -> None:
    house.use("better-voice")
    house.use("other-voice")
    assert house.states() == dict(
        house.states(), **{"better-voice": "available", "other-voice": "in_use"}
    )
    first, second = house.loaded
    assert not first.closed
    house.upgrades.undo("other-voice")
    assert (first.closed, second.closed) == (False, True)
    assert house.states()["better-voice"] == "in_use"
    house.upgrades.undo("better-voice")
    assert first.closed
    assert house.engines.shared_by("tts").engine is house.voice  # type: ignore[union-attr]
    house.use("better-voice")
    house.use("other-voice")
    house.use("better-voice")
    assert [engine.closed for engine in house.loaded[2:]] == [True, False, False]
    house.engines.close()
    assert all(engine.closed for engine in (*house.loaded, house.voice))


@pytest.mark.parametrize("seed", range(12))
def test_swaps_at_random_moments_lose_nothing(
    seed: int, house: House, new_talker: Callable[[], Talker]
) -> None:
    """Two users speak, type, interrupt and listen while voice and mind change under them."""
    chance = random.Random(seed)
    talkers = [new_talker(), new_talker()]
    for step in range(40):
        talker = chance.choice(talkers)
        match chance.randrange(5):
            case 0:
                talker.session.respond(f"Question {step}.")
            case 1:
                talker.speak(chance.randrange(100, 400))
            case 2:
                in_use = [name for name, state in house.states().items() if state == "in_use"]
                if in_use and chance.random() < 0.4:
                    change: Callable[[str], object] = house.upgrades.undo
                    name = chance.choice(in_use)
                else:
                    change = house.use
                    name = chance.choice(OFFERS).name
                changing = threading.Thread(target=change, args=(name,))
                changing.start()
                talker.wait(chance.randrange(32, 800), settle=False)
                changing.join()
            case _:
                talker.wait(chance.randrange(32, 1500))
    for talker in talkers:
        talker.wait(1000)
        last = talker.ask("The end?")
        assert (last.state, talker.events(ErrorEvent)) == ("done", [])
        mind = house.engines.shared_by("llm").engine.info.name  # type: ignore[union-attr]
        assert last.heard == f"{mind.partition(',')[0]}. {LONG}"
        done = [event for event in talker.events(TurnDone) if event.state == "done"]
        assert all(event.heard for event in done)
        memory: Any = talker.session.reports.memory
        remembered = " ".join(message.content for message in memory.prompt(""))
        assert all(event.user_text in remembered and event.heard in remembered for event in done)
