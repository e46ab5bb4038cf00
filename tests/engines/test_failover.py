"""Several engines in the place of one: who takes over when, what is told, and who is never stuck."""

import math
import threading
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import pytest

from engines.circuit_breaker import FIRST_BREAK_S, MAX_BREAK_S, CircuitBreaker
from engines.failover_chat_model import FailoverChatModel
from engines.failover_recognizer import FailoverRecognizer
from engines.failover_synthesizer import FailoverSynthesizer
from pipeline.errors import EngineError
from pipeline.events import NoticeGiven, Transcript
from pipeline.messages import AudioChunk, ChatMessage, Notice, Samples, ToolCall
from pipeline.settings import Tool
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from testing.contracts import (
    ChatModelContract,
    RecognizerContract,
    SynthesizerContract,
    chunks_of,
    speech_like,
)
from testing.conversation import Conversation
from testing.fakes import ScriptedModel, ScriptedRecognizer, ScriptedSynthesizer
from testing.hold import Hold
from tests.engines.test_circuit_breaker import Clock
from TTS.espeak import EspeakSynthesizer

PATIENT_S = 60.0
"""A wait that no test comes to the end of."""

AT_ONCE_S = 0.05
"""A wait that a test comes to the end of, since nothing happens."""

HELLO = [ChatMessage("user", "Hello.")]
BROKEN = EngineError("its fuse has blown")


def named(engine: Any, name: str, **attributes: object) -> Any:
    """An engine with this name; what else is given are fields of its info, or attributes."""
    stated = {field.name for field in fields(engine.info)} & attributes.keys()
    engine.info = replace(engine.info, name=name, **{field: attributes[field] for field in stated})
    for attribute in attributes.keys() - stated:
        setattr(engine, attribute, attributes[attribute])
    return engine


class AnySound(FailoverSynthesizer):
    """A failover that accepts the constants of scripted synthesizers as sound."""

    check_sound = False


class Voices:
    """Two synthesizers, "first" and "second", and their failover, with a clock of their own."""

    def __init__(self, first_output_s: float = PATIENT_S, **first: object) -> None:
        self.clock = Clock()
        self.first = named(ScriptedSynthesizer(), "first", **first)
        self.second = named(ScriptedSynthesizer(), "second", languages=("en", "te"))
        self.engine = AnySound(
            [self.first, self.second], first_output_s, lambda: CircuitBreaker(self.clock, lambda: 0.0)
        )

    def say(
        self, text: str = "Hello.", voice: str | None = None, language: str | None = None
    ) -> tuple[str, list[str]]:
        """Who spoke, and what was told."""
        before = len(self.first.spoken), len(self.second.spoken)
        results = list(self.engine.synthesize(text, voice, language, CancelToken()))
        assert sum(len(chunk.samples) for chunk in chunks_of(results)) > 0
        after = len(self.first.spoken), len(self.second.spoken)
        spoke = "+".join(n for n, b, a in zip(("first", "second"), before, after, strict=True) if a > b)
        return spoke, [result.text for result in results if isinstance(result, Notice)]

    def break_first(self, text: str = "Hello.") -> None:
        self.first.error_at_text = (text, BROKEN)

    def mend_first(self) -> None:
        self.first.error_at_text = None


def test_while_the_first_works_nobody_hears_of_the_others() -> None:
    voices = Voices()
    assert voices.say() == ("first", [])
    assert voices.engine.info.name == "first,second"
    assert voices.engine.info.voices == ("low", "high")


def test_the_next_takes_over_before_the_first_audio_and_it_is_told() -> None:
    voices = Voices()
    voices.break_first()
    told = "first failed (its fuse has blown); second speaks"
    assert voices.say() == ("first+second", [told])
    assert voices.say() == ("second", [told]), "for a while the first is left alone"


def test_it_comes_back_when_it_works_again() -> None:
    voices = Voices()
    voices.break_first()
    voices.say()
    voices.mend_first()
    voices.clock.now = FIRST_BREAK_S - 0.01
    assert voices.say()[0] == "second"
    voices.clock.now = FIRST_BREAK_S
    assert voices.say() == ("first", ["first speaks again"])
    assert voices.say() == ("first", ["first speaks again"]), "a session is told only if it knows"


def test_an_error_nobody_expected_is_one_too_and_tells_nothing_of_what_was_said() -> None:
    voices = Voices()
    voices.first.error_at_text = ("A secret.", ValueError("A secret."))
    spoke, (told,) = voices.say("A secret.")
    assert spoke == "first+second"
    assert told == "first failed (first failed unexpectedly (ValueError)); second speaks"


def test_after_the_first_output_an_error_is_an_error() -> None:
    first, second = named(ScriptedModel(), "first"), named(ScriptedModel(), "second")
    first.error_after_words = (1, BROKEN)
    answer = FailoverChatModel([first, second], PATIENT_S).generate(HELLO, CancelToken())
    assert next(answer) == "One"
    with pytest.raises(EngineError, match="its fuse has blown"):
        list(answer)
    assert second.prompts == []


def test_when_all_fail_it_is_said_of_each() -> None:
    voices = Voices()
    voices.break_first()
    voices.second.error_at_text = ("Hello.", EngineError("it is hoarse", code="timeout"))
    for _ in range(2):  # nobody is thought to work, and both are asked all the same
        with pytest.raises(EngineError, match="first: its fuse has blown; second: it is hoarse"):
            voices.say()
    voices.mend_first()
    assert voices.say() == ("first", ["second failed (it is hoarse); first speaks"])


def test_a_stuck_engine_keeps_its_slot_and_nobody_waits_for_it_twice() -> None:
    voices = Voices(first_output_s=AT_ONCE_S, slots=1)
    hold = voices.first.hold = Hold(deaf=True)
    hold.close()
    spoke, (told,) = voices.say()
    assert spoke.endswith("second")
    assert told == "first failed (first did not respond for 0.05 s); second speaks"
    hold.wait_until_reached()
    voices.clock.now = 10 * MAX_BREAK_S
    assert voices.say()[0] == "second", "it has not returned, so it is not even tried"
    shared = voices.engine._legs[0].shared
    assert shared.stuck == 1
    hold.open()
    while shared.stuck:
        threading.Event().wait(0.01)
    voices.engine._first_output_s = PATIENT_S
    assert voices.say()[0] == "first"


def test_the_slots_are_those_of_the_first_and_a_stuck_one_takes_none() -> None:
    voices = Voices(first_output_s=AT_ONCE_S, slots=1)
    shared: SharedEngine[FailoverSynthesizer] = SharedEngine(voices.engine)
    voices.first.hold = Hold(deaf=True)
    voices.first.hold.close()
    for _ in range(3):
        results = shared.stream(lambda e, c: e.synthesize("Hello.", None, None, c), CancelToken())
        assert chunks_of(results)
    assert (shared.stuck, shared.free_slots) == (0, 1)
    voices.first.hold.open()


def test_a_call_behind_one_that_was_cancelled_and_hangs_does_not_wait_for_it_long() -> None:
    """Nobody knows yet that it hangs."""
    voices = Voices(first_output_s=AT_ONCE_S, slots=1)
    hold, cancel = Hold(deaf=True), CancelToken()
    voices.first.hold = hold
    hold.close()
    caller = threading.Thread(
        target=lambda: list(voices.engine.synthesize("Hello.", None, None, cancel))
    )
    voices.engine._first_output_s = PATIENT_S
    caller.start()
    hold.wait_until_reached()
    cancel.cancel()
    caller.join(60)
    assert not caller.is_alive()
    voices.engine._first_output_s = AT_ONCE_S
    spoke, (told,) = voices.say()
    assert spoke == "second"
    assert "first is busy: its 1 slot(s) were taken for 0.05 s" in told
    hold.open()


def test_a_cancelled_call_is_no_failure_and_asks_nobody_else() -> None:
    voices = Voices()
    voices.first.hold.close()
    cancel = CancelToken()
    results: list[AudioChunk | Notice] = []
    caller = threading.Thread(
        target=lambda: results.extend(voices.engine.synthesize("Hello.", None, None, cancel))
    )
    caller.start()
    voices.first.hold.wait_until_reached()
    cancel.cancel()
    caller.join(60)
    voices.first.hold.open()
    assert results == []
    assert voices.second.spoken == []
    assert voices.say() == ("first", [])


def test_a_probe_that_was_cancelled_lets_the_next_call_probe() -> None:
    voices = Voices()
    voices.break_first()
    voices.say()
    voices.mend_first()
    voices.clock.now = FIRST_BREAK_S
    cancelled = CancelToken()
    cancelled.cancel()
    assert list(voices.engine.synthesize("Hello.", None, None, cancelled)) == []
    assert voices.say()[0] == "first"


def test_what_the_caller_did_wrong_is_no_failure() -> None:
    voices = Voices()
    voices.first.error_at_text = ("Hello.", EngineError("expected a voice", code="unknown_voice"))
    with pytest.raises(EngineError, match="expected a voice"):
        voices.say()
    voices.mend_first()
    assert voices.say() == ("first", [])


def test_a_voice_of_the_next_is_spoken_by_the_next() -> None:
    voices = Voices()
    voices.second.info = replace(voices.second.info, voices=("deep", "low"))
    assert voices.engine.info.voices == ("low", "high", "deep")
    voices.engine.expect_voice("deep")
    assert voices.say(voice="deep") == ("second", [])
    assert voices.say(voice="low") == ("first", [])
    for call in (voices.engine.expect_voice, lambda voice: voices.say(voice=voice)):
        with pytest.raises(EngineError, match="one of the voices low, high, deep, got 'nobody'"):
            call("nobody")


def test_a_voice_that_the_next_does_not_know_becomes_its_own() -> None:
    voices = Voices()
    voices.second.info = replace(voices.second.info, voices=("deep",))
    voices.break_first()
    assert voices.say(voice="high")[1] == [
        "first failed (its fuse has blown); second speaks",
        "second has no voice 'high'; it speaks with its own",
    ]


def test_a_language_goes_to_the_one_that_has_it() -> None:
    voices = Voices(languages=("en", "fr"))
    assert voices.engine.info.languages == ("en", "fr", "te")
    assert voices.say(language="en") == ("first", [])
    assert voices.say(language="te") == ("second", ["first does not speak Telugu; second speaks"])
    voices.break_first()
    assert voices.say(language="fr") == (
        "first+second",
        ["first failed (its fuse has blown); second speaks",
         "second does not speak French; second speaks as usual"],
    )  # fmt: skip


def test_recognizers_hear_at_their_own_rates() -> None:
    first = named(ScriptedRecognizer(), "first", error=BROKEN)
    second = named(ScriptedRecognizer("hello"), "second", sample_rate_hz=8000)
    engine = FailoverRecognizer([first, second], PATIENT_S)
    heard = engine.transcribe(speech_like(16000), None, CancelToken())
    assert heard.text == "hello"
    assert [notice.text for notice in heard.notices] == [
        "first failed (its fuse has blown); second listens"
    ]
    assert (len(first.heard[0]), len(second.heard[0])) == (16000, 8000)


def test_a_model_without_tools_takes_over_from_one_with() -> None:
    first, second = named(ScriptedModel(), "first"), named(ScriptedModel("Fine."), "second")
    first.error_after_words = (0, BROKEN)
    second.info = replace(second.info, takes_tools=False)
    engine = FailoverChatModel([first, second], PATIENT_S)
    call = ToolCall("1", "weather", "{}")
    messages = [
        ChatMessage("user", "Hello."),
        ChatMessage("assistant", "A moment.", (call,)),
        ChatMessage("tool", "rain", answers="1"),
        ChatMessage("assistant", "It rains."),
        ChatMessage("user", "And now?"),
    ]
    answer = list(engine.generate(messages, CancelToken(), [Tool("weather", "", {})]))
    assert answer[1:] == [
        Notice("tools_fallback", "second cannot call functions; it answers without them"),
        "Fine.",
    ]
    assert [m.content for m in second.prompts[0]] == ["Hello.", "A moment.\n\nIt rains.", "And now?"]
    assert second.tools == [((), "auto")]
    assert engine.info.takes_tools


def test_a_session_is_told_once_who_took_over_and_once_who_is_back() -> None:
    clock = Clock()
    first = named(ScriptedSynthesizer(), "first")
    second = named(ScriptedSynthesizer(), "second")
    tts = AnySound([first, second], PATIENT_S, lambda: CircuitBreaker(clock))
    with Conversation(tts=named(tts, "both", hold=Hold())) as conversation:
        first.error_at_text = ("One sentence.", BROKEN)
        for _ in range(2):
            conversation.until_done(conversation.session.respond("question").number)
        first.error_at_text, clock.now = None, math.inf
        for _ in range(2):
            done = conversation.until_done(conversation.session.respond("question").number)
        assert done.heard == "One sentence. Another sentence."
        told = [(e.stage, e.code, e.text, e.turn) for e in conversation.events(NoticeGiven)]
        assert told == [
            ("tts", "failover", "first failed (its fuse has blown); second speaks", 1),
            ("tts", "failover", "first speaks again", 3),
        ]


def test_a_session_that_was_told_nothing_is_not_told_that_it_is_over() -> None:
    clock = Clock()
    first = named(ScriptedRecognizer(), "first", error=BROKEN)
    second = named(ScriptedRecognizer(), "second")
    stt = FailoverRecognizer([first, second], PATIENT_S, lambda: CircuitBreaker(clock))
    stt.transcribe(speech_like(16000), None, CancelToken())
    first.error, clock.now = None, math.inf
    with Conversation(stt=named(stt, "both", hold=Hold())) as conversation:
        conversation.ask()
        conversation.until_done(1)
        assert conversation.events(Transcript)
        assert conversation.events(NoticeGiven) == []


def _broken(engine: Any, method: str) -> Any:
    def fail(*_: object) -> Iterator[Any]:
        raise BROKEN

    setattr(engine, method, fail)
    return engine


class TestSynthesizerContract(SynthesizerContract):
    @pytest.fixture(scope="class", params=["the first works", "the first is broken"])
    @classmethod
    def engine(cls, request: pytest.FixtureRequest) -> FailoverSynthesizer:
        first = EspeakSynthesizer()
        if request.param == "the first is broken":
            _broken(first, "synthesize")
        return FailoverSynthesizer([first, EspeakSynthesizer()], PATIENT_S)


class TestModelContract(ChatModelContract):
    @pytest.fixture(scope="class", params=["the first works", "the first is broken"])
    @classmethod
    def engine(cls, request: pytest.FixtureRequest) -> FailoverChatModel:
        first = ScriptedModel()
        if request.param == "the first is broken":
            first.error_after_words = (0, BROKEN)
        return FailoverChatModel([first, ScriptedModel()], PATIENT_S)


class TestRecognizerContract(RecognizerContract):
    @pytest.fixture(scope="class", params=["the first works", "the first is broken"])
    @classmethod
    def engine(cls, request: pytest.FixtureRequest) -> FailoverRecognizer:
        first = ScriptedRecognizer()
        first.error = BROKEN if request.param == "the first is broken" else None
        return FailoverRecognizer([first, ScriptedRecognizer()], PATIENT_S)

    @pytest.fixture
    def spoken(self) -> Samples:
        return speech_like(16000)


def test_the_first_time_limit_is_not_moved_by_a_notice() -> None:
    """A sign of life is no output: what was told before the first output does not make it come."""

    class Talkative(ScriptedSynthesizer):
        def synthesize(self, *arguments: Any) -> Iterator[Any]:
            yield Notice("language_fallback", "I speak otherwise.")
            yield from super().synthesize(*arguments)

    first, second = named(Talkative(), "first"), named(ScriptedSynthesizer(), "second")
    first.hold.close()
    engine = AnySound([first, second], AT_ONCE_S)
    told = [r.text for r in engine.synthesize("Hi.", None, None, CancelToken()) if isinstance(r, Notice)]
    assert told == ["first failed (first did not respond for 0.05 s); second speaks"]
    first.hold.open()
