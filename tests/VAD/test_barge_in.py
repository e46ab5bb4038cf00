"""Speech during a reply, in full duplex: its effect on the reply, at every length and loudness."""

import random
from collections.abc import Iterator

import pytest

from pipeline.barge_in import DUCK_AFTER_MS, PAUSE_AFTER_MS, RENEWED_S, VERDICT_S
from pipeline.events import Ducked, Interrupted, Paused, Transcript, TurnDone
from pipeline.playout import DUCK_GAIN
from pipeline.settings import EndpointerSettings
from testing.conversation import Conversation
from testing.fakes import RATE_HZ, ScriptedModel, ScriptedRecognizer
from tests.socket_clients import wait_for

REPLY = (
    "One sentence that takes a while to say. And another one that takes much longer, since there are "
    "so many things to be said that nobody would want to hear all of them without a word in between, "
    "and so it goes on and on."
)


@pytest.fixture
def talking() -> Iterator[Conversation]:
    """A conversation that is playing the reply to its first question."""
    llm, stt = ScriptedModel(REPLY, "Next."), ScriptedRecognizer("A question.", "uh-huh")
    with Conversation(
        full_duplex=True, llm=llm, stt=stt, endpointing=EndpointerSettings(speculate=False)
    ) as conversation:
        conversation.ask()
        conversation.until(lambda: bool(conversation.sink.frames))
        conversation.wait(320)
        yield conversation


def heard_of(conversation: Conversation, turn: int) -> str:
    return conversation.until_done(turn).heard


def sent_ms(conversation: Conversation) -> float:
    return sum(len(frame.samples) for frame in conversation.sink.frames) / RATE_HZ * 1000


def test_what_seemed_unheard_may_turn_out_to_have_been_heard() -> None:
    with Conversation(full_duplex=True, llm=ScriptedModel(REPLY)) as conversation:
        conversation.session.respond("A question.")
        conversation.settle()
        conversation.session.interrupt()
        assert [message.role for message in conversation.chat.prompt("")] == ["system", "user"]
        conversation.session.playout.played(1, 60 * RATE_HZ // 1000)
        assert conversation.chat.prompt("")[-1].content == "One…"


def test_it_listens_while_it_speaks(talking: Conversation) -> None:
    assert talking.session.should_listen.is_set()


@pytest.mark.parametrize("ms", [32, 64, 96, 160])
def test_a_cough_is_over_before_the_pause(talking: Conversation, ms: int) -> None:
    """The reply is quieter for a moment at most, and loses nothing."""
    talking.speak(ms)
    talking.wait(320)
    assert not talking.events(Paused)
    assert [event.ducked for event in talking.events(Ducked)] == ([True, False] if ms >= 64 else [])
    assert heard_of(talking, 1) == REPLY
    assert not talking.events(Interrupted)


def test_it_ducks_after_two_windows_and_is_silent_once_the_first_words_are_known(
    talking: Conversation,
) -> None:
    talking.stt._texts = ["where"]
    talking.speak(DUCK_AFTER_MS + 64)
    second_sentence = 0.02
    assert talking.sink.frames[-1].samples.max() == pytest.approx(second_sentence * DUCK_GAIN)
    talking.speak(PAUSE_AFTER_MS - DUCK_AFTER_MS - 96)
    assert not talking.events(Paused)
    talking.speak(32)
    assert [event.paused for event in talking.events(Paused)] == [True]
    sent = sent_ms(talking)
    talking.speak(160)
    assert sent_ms(talking) == sent


@pytest.mark.parametrize(("ms", "level"), [(320, 0.5), (320, 0.1), (640, 0.5)])
def test_a_nod_does_not_even_pause_the_reply(talking: Conversation, ms: int, level: float) -> None:
    """However loud: its words are those of a listener."""
    talking.stt._texts = ["uh-huh"] * 9
    talking.speak(ms, level=level)
    talking.wait(320)
    assert not talking.events(Paused)
    assert talking.done(2)[0].state == "dropped"
    assert len(talking.events(Transcript)) == 1, "a nod is no turn of the conversation"
    assert heard_of(talking, 1) == REPLY
    frames = [frame for frame in talking.sink.frames if frame.turn == 1]
    assert {frame.samples.max() for frame in frames[-3:]} <= {
        frames[0].samples.max(),
        frames[-1].samples.max(),
    }
    assert [message.content for message in talking.chat.prompt("and?")][-2] == REPLY


def test_a_nod_is_no_turn_where_pauses_are_guessed_at_too() -> None:
    llm, stt = ScriptedModel(REPLY, "Next."), ScriptedRecognizer("A question.", "uh-huh")
    with Conversation(full_duplex=True, llm=llm, stt=stt, endpointing=EndpointerSettings()) as talk:
        talk.ask()
        talk.until(lambda: bool(talk.sink.frames))
        talk.wait(320)
        talk.speak(320, level=0.1)
        talk.wait(640)
        assert heard_of(talk, 1) == REPLY
        assert len(talk.llm.prompts) == 1, "no speculative answer was started"


def test_a_short_word_that_is_not_a_nod_is_a_turn(talking: Conversation) -> None:
    talking.stt._texts = ["stop"]
    talking.speak(320)
    talking.wait(320)
    (interrupted,) = talking.events(Interrupted)
    assert interrupted.turn == 1
    assert REPLY.startswith(interrupted.heard)
    assert heard_of(talking, 2) == "Next."
    prompt = [message.content for message in talking.llm.prompts[1]]
    assert prompt[-1] == "stop"
    assert prompt[-2] == interrupted.heard + "…", "the model is told that its answer was cut"


def test_a_soft_word_answers_a_question() -> None:
    question = "There is a kettle in the kitchen, and there are leaves in the tin; do you want any tea?"
    llm, stt = ScriptedModel(question, "Here."), ScriptedRecognizer("Hello.", "yes")
    with Conversation(
        full_duplex=True, llm=llm, stt=stt, endpointing=EndpointerSettings(speculate=False)
    ) as conversation:
        conversation.ask()
        conversation.until(lambda: bool(conversation.sink.frames))
        conversation.speak(320, level=0.4)
        assert heard_of(conversation, 2) == "Here."


def test_noise_without_words_is_no_turn(talking: Conversation) -> None:
    talking.stt._texts = ["..."] * 9
    talking.speak(640)
    talking.wait(320)
    assert talking.done(2)[0].state == "dropped"
    assert heard_of(talking, 1) == REPLY


def test_a_user_who_speaks_on_interrupts(talking: Conversation) -> None:
    talking.stt._texts = []
    talking.speak(1024)
    (interrupted,) = talking.events(Interrupted)
    assert interrupted.reason == "the user kept talking"
    assert not talking.done(2), "and the turn goes on until they pause"
    talking.speak(512)
    assert heard_of(talking, 2) == "Next."


def test_a_voice_that_is_much_softer_than_the_user_may_speak_on(talking: Conversation) -> None:
    """A television, or somebody else in the room."""
    talking.stt._texts = []
    talking.speak(1600, level=0.06)
    talking.wait(320)
    assert not talking.events(Paused, Interrupted)
    assert talking.done(2)[0].state == "dropped"
    assert heard_of(talking, 1) == REPLY


def test_who_goes_on_after_a_short_pause_is_answered_to_the_whole(talking: Conversation) -> None:
    talking.stt._texts = ["the whole of it"] * 9
    talking.stt.hold.close()
    talking.speak(320, level=0.1)
    talking.wait(224, settle=False)
    talking.stt.hold.wait_until_reached()
    talking.speak(640, settle=False)
    talking.wait(320, settle=False)
    wait_for(lambda: len(talking.stt.heard) == 4, "the first words and the whole being recognized")
    talking.stt.hold.open()
    talking.settle()
    assert len(talking.stt.heard[-1]) / RATE_HZ > 1.2
    assert talking.done(2)[0].state == "dropped"
    assert heard_of(talking, 3) == "Next."


def test_what_cannot_be_recognized_does_not_stop_the_reply(talking: Conversation) -> None:
    talking.stt.error = RuntimeError("no ears")
    talking.speak(320, level=0.1)
    talking.wait(320)
    assert heard_of(talking, 1) == REPLY
    assert talking.done(2)[0].state == "dropped"


def test_a_microphone_that_falls_silent_in_mid_word_lets_the_reply_go_on(talking: Conversation) -> None:
    talking.stt._texts = ["where"]
    talking.speak(480)
    for _ in range(int(RENEWED_S * 50) + 5):
        talking.clock.advance(RATE_HZ // 50)
        talking.settle()
    assert [event.paused for event in talking.events(Paused)] == [True, False]
    assert [event.ducked for event in talking.events(Ducked)] == [True, False]
    assert not talking.done(1)


def test_a_pause_ends_with_its_reply(talking: Conversation) -> None:
    """A message typed while the verdict is pending gets its answer without delay."""
    talking.stt.hold.close()
    talking.speak(320, level=0.1)
    talking.wait(256, settle=False)
    talking.stt.hold.wait_until_reached()
    turn = talking.session.respond("typed")
    talking.stt.hold.open()
    talking.settle()
    talking.wait(320)
    assert turn.number in talking.sink.turns()


def test_a_recognizer_that_hangs_lets_the_reply_go_on(talking: Conversation) -> None:
    talking.stt._texts = ["where", "uh-huh"]
    talking.speak(480)
    talking.stt.hold.close()
    talking.wait(256, settle=False)
    talking.stt.hold.wait_until_reached()
    for _ in range(int(VERDICT_S * 31) + 10):
        talking.wait(32, settle=False)
    talking.session.activity.wait_idle(0.5)
    assert [event.paused for event in talking.events(Paused)] == [True, False]
    talking.stt.hold.open()
    assert heard_of(talking, 1) == REPLY


def test_in_half_duplex_nothing_of_it_happens() -> None:
    with Conversation(llm=ScriptedModel(REPLY)) as conversation:
        conversation.ask()
        conversation.until(lambda: bool(conversation.sink.frames))
        conversation.speak(640)
        conversation.wait(320)
        assert not conversation.events(Ducked, Paused, Interrupted)
        assert heard_of(conversation, 1) == REPLY


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_said_over_replies_the_next_turn_speaks(seed: int) -> None:
    """Coughs, nods, words and speeches at random moments, with pauses of any length between them."""
    chance = random.Random(seed)
    llm = ScriptedModel(REPLY)
    settings = EndpointerSettings(speculate=bool(seed % 2))
    with Conversation(full_duplex=True, llm=llm, endpointing=settings) as conversation:
        conversation.ask()
        for _ in range(30):
            conversation.speak(
                chance.choice((32, 64, 160, 320, 640, 1280)), level=chance.choice((0.1, 0.5))
            )
            conversation.wait(chance.choice((32, 160, 320, 640, 1280)))
        conversation.wait(5000)
        assert not conversation.session.playout.sounding
        before = set(conversation.sink.turns())
        turn = conversation.session.respond("next")
        assert heard_of(conversation, turn.number) == REPLY
        assert set(conversation.sink.turns()) - before == {turn.number}
        heard = [done.heard for done in conversation.events(TurnDone)]
        assert all(REPLY.startswith(text) for text in heard)
