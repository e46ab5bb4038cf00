"""Live partial transcripts: the stable part only grows, and nothing waits for them."""

import itertools

import pytest

from pipeline.events import ErrorEvent, Event, PartialTranscript, Transcript
from pipeline.settings import EndpointerSettings, SessionSettings
from pipeline.shared_engine import SharedEngine
from STT.agreement import Agreement
from STT.base import Recognizer
from STT.live_transcript import MAX_AUDIO_S, LiveTranscript
from testing.conversation import Conversation
from testing.fakes import RATE_HZ, ScriptedRecognizer
from tests.socket_clients import wait_for
from tests.speech import human, share_heard

JFK = (
    "And so my fellow Americans ask not what your country can do for you ask what you can do for "
    "your country"
)


def partials(talk: Conversation) -> list[PartialTranscript]:
    return [event for event in talk.events() if isinstance(event, PartialTranscript)]


def conversation(**engines: object) -> Conversation:
    talk = Conversation(endpointing=EndpointerSettings(), **engines)  # type: ignore[arg-type]
    talk._mail = talk.session.events.subscribe(live=(PartialTranscript,))
    return talk


# -- agreement -------------------------------------------------------------------------------------


def test_two_transcripts_in_a_row_agree() -> None:
    agreement = Agreement()
    shown = []
    for text in ("What", "What is", "What is the whether", "what is the weather, in", "What is the"):
        agreement.add(text)
        shown.append((agreement.stable.strip(), agreement.text.strip()))
    assert shown == [
        ("", "What"),
        ("What", "What is"),
        ("What is", "What is the whether"),
        ("What is the", "What is the weather, in"),
        ("What is the", "What is the"),
    ]


def test_what_is_settled_goes_before_what_follows() -> None:
    agreement = Agreement()
    agreement.add("One two")
    agreement.add("One two three.")
    agreement.settle()
    assert agreement.stable == "One two three. "
    agreement.add("Four")
    agreement.add("Four five")
    assert agreement.stable == "One two three. Four "
    assert agreement.text == "One two three. Four five"


def test_scripts_without_spaces_agree_by_character() -> None:
    agreement = Agreement()
    agreement.add("今日は良")
    agreement.add("今日は天気")
    assert agreement.stable == "今日は"
    assert agreement.text == "今日は天気"


# -- in the pipeline -------------------------------------------------------------------------------


def test_partials_come_while_the_user_speaks_and_become_rarer() -> None:
    recognizer = ScriptedRecognizer("one", "one two", "one two three", *["one two three four"] * 20)
    with conversation(stt=recognizer) as talk:
        talk.speak(1120)
        shown = partials(talk)
        assert shown, "before the user has finished"
        talk.speak(4480)
        shown = partials(talk)
        assert shown[-1] == PartialTranscript("one two three four", len("one two three four"))
        stable = [event.text[: event.stable_chars] for event in shown]
        assert all(after.startswith(before) for before, after in itertools.pairwise(stable))
        lengths = [len(samples) / RATE_HZ for samples in talk.stt.heard]
        assert lengths[0] == pytest.approx(0.5, abs=0.07)
        assert lengths[1] - lengths[0] == pytest.approx(0.5, abs=0.07)
        assert lengths[-1] - lengths[-2] > 1.0
        assert len(lengths) < 12


@pytest.mark.parametrize(("language", "told"), [("fr", "fr"), ("te", None)])
def test_the_recognizer_is_told_no_language_that_it_lacks(language: str, told: str | None) -> None:
    recognizer = ScriptedRecognizer(languages=("en", "fr"))
    with conversation(stt=recognizer, settings=SessionSettings(language=language)) as talk:
        talk.speak(1120)
        assert partials(talk)
        assert set(recognizer.told) == {told}


def test_nobody_who_asks_means_no_work() -> None:
    with Conversation(endpointing=EndpointerSettings()) as talk:
        talk.speak(3000)
        assert not talk.stt.heard


def test_a_partial_gives_way_at_a_pause() -> None:
    """The recognizer's only slot is free at once for the utterance, which may be over."""
    with conversation(stt=ScriptedRecognizer("part", "the whole", slots=1)) as talk:
        talk.stt.hold.close()
        talk.speak(1280, settle=False)
        talk.stt.hold.wait_until_reached()
        talk.wait(64, settle=False)
        wait_for(lambda: len(talk.stt.heard) == 2, "the utterance at the recognizer")
        talk.stt.hold.open()
        talk.wait(640)
        transcripts = [event for event in talk.events() if isinstance(event, Transcript)]
        assert [event.text for event in transcripts] == ["the whole"]
        assert not partials(talk), "it was not finished"


def test_after_a_pause_a_partial_that_gave_way_is_made_up_for() -> None:
    with conversation(stt=ScriptedRecognizer("part", "a guess", "both parts", slots=1)) as talk:
        talk.stt.hold.close()
        talk.speak(640, settle=False)
        talk.stt.hold.wait_until_reached()
        talk.wait(64, settle=False)
        wait_for(lambda: len(talk.stt.heard) == 2, "the guess at the recognizer")
        talk.stt.hold.open()
        talk.speak(96)
        assert [event.text for event in partials(talk)] == ["both parts"]


def test_a_busy_recognizer_makes_no_partials() -> None:
    with conversation(stt=ScriptedRecognizer(slots=1)) as talk:
        talk.stt.hold.close()
        talk.begin_tentative()
        talk.stt.hold.wait_until_reached()
        talk.speak(3000, settle=False)
        assert len(talk.stt.heard) == 1
        talk.stt.hold.open()
        talk.settle()


def test_a_partial_that_fails_is_not_missed() -> None:
    recognizer = ScriptedRecognizer()
    recognizer.error = ValueError("broken")
    with conversation(stt=recognizer) as talk:
        talk.speak(1500)
        recognizer.error = None
        talk.speak(1500)
        talk.wait(640)
        kinds: list[type[Event]] = [type(event) for event in talk.events()]
        assert ErrorEvent not in kinds
        assert PartialTranscript in kinds
        assert Transcript in kinds


def test_with_the_real_recognizer_the_stable_words_are_those_that_were_said() -> None:
    pytest.importorskip("moonshine_voice", reason="no wheel for this machine")
    from STT.moonshine import MoonshineRecognizer

    speech = human("jfk.flac")
    recognizer: SharedEngine[Recognizer] = SharedEngine(MoonshineRecognizer())
    with conversation() as talk:
        live = LiveTranscript(recognizer, talk.session)
        live.begin()
        for end in range(512, len(speech), 512):
            live.grow(end, lambda end=end: speech[:end], RATE_HZ)  # type: ignore[misc]
            talk.settle()
        shown = partials(talk)
        stable = [event.text[: event.stable_chars] for event in shown]
        assert all(after.startswith(before) for before, after in itertools.pairwise(stable))
        assert len(speech) / RATE_HZ > MAX_AUDIO_S, "part of it is settled"
        assert share_heard(JFK, shown[-1].text) > 0.85
        assert share_heard(JFK, stable[-1]) > 0.6
    recognizer.close()
