"""Engines are replaced, and taken back, while conversations go on."""

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from pipeline.errors import EngineError
from pipeline.events import ErrorEvent, NoticeGiven, TurnDone
from testing.conversation import PATIENCE_S, settled
from testing.upgrading import LONG, OFFERS, House, Talker
from tests.socket_clients import wait_for


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


def test_an_upgrade_that_makes_way_is_closed_and_undo_goes_to_the_beginning(house: House) -> None:
    house.use("better-voice")
    house.use("other-voice")
    assert house.states() == dict(
        house.states(), **{"better-voice": "available", "other-voice": "in_use"}
    )
    first, second = house.loaded
    wait_for(lambda: first.closed, "the first to be closed")
    assert not second.closed
    house.upgrades.undo("other-voice")
    assert second.closed
    assert house.states()["better-voice"] == "available"
    assert house.engines.shared_by("tts").engine is house.voice  # type: ignore[union-attr]
    house.use("better-voice")
    house.engines.close()
    assert all(engine.closed for engine in (*house.loaded, house.voice))


def test_offers_are_told_while_an_engine_is_being_closed(house: House) -> None:
    house.use("better-voice")
    (engine,) = house.loaded
    closing, may_end = threading.Event(), threading.Event()

    def close() -> None:
        closing.set()
        assert may_end.wait(PATIENCE_S)

    engine.close = close
    undoing = threading.Thread(target=house.upgrades.undo, args=("better-voice",))
    undoing.start()
    assert closing.wait(PATIENCE_S)
    told: list[dict[str, str]] = []
    asking = threading.Thread(target=lambda: told.append(house.states()), daemon=True)
    asking.start()
    asking.join(PATIENCE_S / 2)
    may_end.set()
    undoing.join(PATIENCE_S)
    assert told
    assert told[0]["better-voice"] == "available"
    assert house.use("better-voice")[-1].state == "in_use"


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
