"""Commit, drop, interrupt, END and close at every queue boundary, with scripted engines.

Each case ends with the question that matters: does the *next* turn speak?
"""

import random
import threading

import pytest

from catalog.registry import CASCADE
from LLM.chat import CUT_MARK
from pipeline.events import ErrorEvent, TurnDone
from pipeline.session import SessionState
from pipeline.settings import EndpointerSettings
from pipeline.turn import Origin, Turn, TurnState
from testing.conversation import PATIENCE_S, Conversation
from testing.fakes import (
    MS_PER_CHARACTER,
    RATE_HZ,
    ScriptedModel,
    ScriptedRecognizer,
    ScriptedSynthesizer,
)
from testing.hold import Hold
from tests.pipeline.test_turn import state_of
from tests.socket_clients import wait_for

ENDINGS = ["drop", "interrupt"]


def hold_of(conversation: Conversation, stage: str) -> Hold:
    hold: Hold = getattr(conversation, stage).hold
    return hold


def end(turn: Turn, event: str) -> None:
    assert getattr(turn, event)("enough")


def the_next_turn_speaks(conversation: Conversation) -> None:
    conversation.settle()
    before = len(conversation.sink.turns())
    turn = conversation.session.respond("next")
    done = conversation.until_done(turn.number)
    assert done.state == "done"
    assert done.heard == "One sentence. Another sentence."
    assert conversation.sink.turns()[before:] == [turn.number], "and nobody else"


@pytest.mark.parametrize("event", ENDINGS)
@pytest.mark.parametrize("stage", CASCADE)
def test_a_turn_ends_while_an_engine_works_on_it(stage: str, event: str) -> None:
    with Conversation() as conversation:
        hold_of(conversation, stage).close()
        turn = conversation.begin_tentative()
        hold_of(conversation, stage).wait_until_reached()
        end(turn, event)
        hold_of(conversation, stage).open()
        conversation.settle()
        assert turn.number not in conversation.sink.turns()
        the_next_turn_speaks(conversation)


@pytest.mark.parametrize("event", ENDINGS)
@pytest.mark.parametrize("stage", CASCADE)
def test_a_turn_ends_while_it_waits_before_a_stage(stage: str, event: str) -> None:
    with Conversation() as conversation:
        hold_of(conversation, stage).close()
        ahead = conversation.begin_tentative()
        hold_of(conversation, stage).wait_until_reached()
        waiting = conversation.begin_tentative()
        end(waiting, event)
        hold_of(conversation, stage).open()
        ahead.commit()
        assert conversation.until_done(ahead.number).state == "done"
        assert conversation.sink.turns() == [ahead.number]
        the_next_turn_speaks(conversation)


@pytest.mark.parametrize("stage", CASCADE)
def test_a_turn_is_committed_while_an_engine_works_on_it(stage: str) -> None:
    with Conversation() as conversation:
        hold_of(conversation, stage).close()
        turn = conversation.begin_tentative()
        hold_of(conversation, stage).wait_until_reached()
        turn.commit()
        hold_of(conversation, stage).open()
        assert conversation.until_done(turn.number).heard == "One sentence. Another sentence."
        the_next_turn_speaks(conversation)


@pytest.mark.parametrize("stage", CASCADE)
def test_a_turn_is_committed_while_it_waits_before_a_stage(stage: str) -> None:
    with Conversation() as conversation:
        hold_of(conversation, stage).close()
        ahead = conversation.begin_tentative()
        hold_of(conversation, stage).wait_until_reached()
        waiting = conversation.begin_tentative()
        waiting.commit()
        hold_of(conversation, stage).open()
        assert conversation.until_done(waiting.number).state == "done"
        assert ahead.state is TurnState.INTERRUPTED, "the user said something newer"
        assert conversation.sink.turns() == [waiting.number]
        the_next_turn_speaks(conversation)


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("stage", CASCADE)
def test_close_while_an_engine_works(stage: str, committed: bool) -> None:
    with Conversation() as conversation:
        hold_of(conversation, stage).close()
        turn = conversation.begin_tentative()
        if committed:
            turn.commit()
        hold_of(conversation, stage).wait_until_reached()
        conversation.session.close("the client left")
        assert conversation.session.join(60) == []
        assert turn.state is TurnState.DROPPED
        assert conversation.session.state is SessionState.CLOSED
        assert conversation.sink.turns() == []
        assert conversation.session.begin_turn(turn.origin).state is TurnState.DROPPED


@pytest.mark.parametrize("stage", CASCADE)
def test_finish_answers_what_an_engine_still_works_on(stage: str) -> None:
    with Conversation() as conversation:
        hold_of(conversation, stage).close()
        turn = conversation.begin_tentative()
        turn.commit()
        hold_of(conversation, stage).wait_until_reached()
        conversation.session.finish()
        hold_of(conversation, stage).open()
        assert conversation.until_done(turn.number).state == "done"
        assert conversation.session.join(60) == []


def test_finish_commits_what_is_being_said() -> None:
    with Conversation() as conversation:
        conversation.speak(320)
        conversation.session.finish()
        assert conversation.until_done(1).heard == "One sentence. Another sentence."
        assert conversation.session.join(60) == []


def test_close_drops_what_is_being_said() -> None:
    with Conversation() as conversation:
        conversation.speak(320)
        conversation.session.close()
        assert conversation.session.join(60) == []
        assert conversation.llm.prompts == []


@pytest.mark.parametrize("stage", CASCADE)
def test_an_engine_that_never_returns_does_not_keep_the_next_turn_from_speaking(stage: str) -> None:
    with Conversation() as conversation:
        engine = getattr(conversation, stage)
        engine.hold = Hold(deaf=True)
        engine.hold.close()
        turn = conversation.begin_tentative()
        turn.commit()
        engine.hold.wait_until_reached()
        conversation.session.interrupt()
        assert turn.state is TurnState.INTERRUPTED
        stuck_hold, engine.hold = engine.hold, Hold()
        the_next_turn_speaks(conversation)
        shared = getattr(conversation, f"shared_{stage}")
        assert shared.stuck == 1
        assert shared.free_slots == engine.info.slots - 1, "it keeps its slot"
        stuck_hold.open()


def test_a_stage_that_fails_speaks_what_it_had_and_the_next_turn_works() -> None:
    llm = ScriptedModel("First sentence. Second sentence. Third sentence.")
    llm.error_after_words = (3, ConnectionError("gone"))
    with Conversation(llm=llm) as conversation:
        turn = conversation.session.respond("question")
        done = conversation.until_done(turn.number)
        assert (done.state, done.reason, done.heard) == ("failed", "llm failed", "First sentence.")
        (error,) = conversation.events(ErrorEvent)
        assert isinstance(error, ErrorEvent)
        assert (error.stage, error.code, error.turn) == ("llm", "internal_error", turn.number)
        assert "ConnectionError" in error.text
        llm.error_after_words = None
        llm._replies = ["One sentence. Another sentence."]
        the_next_turn_speaks(conversation)


def test_a_failed_synthesizer_stops_the_model_before_it() -> None:
    llm = ScriptedModel("First sentence. " + "More words. " * 200)
    tts = ScriptedSynthesizer()
    tts.error_at_text = ("More words.", ValueError("bad"))
    with Conversation(llm=llm, tts=tts) as conversation:
        turn = conversation.session.respond("question")
        done = conversation.until_done(turn.number)
        assert (done.reason, done.heard) == ("tts failed", "First sentence.")
        assert tts.spoken == ["First sentence.", "More words."]
        tts.error_at_text = None
        llm._replies = ["One sentence. Another sentence."]
        the_next_turn_speaks(conversation)


def test_a_text_said_by_the_program_waits_for_what_is_being_spoken() -> None:
    with Conversation() as conversation:
        answer = conversation.session.respond("question")
        conversation.settle()
        announcement = conversation.session.say("The tea is ready.")
        conversation.until_done(announcement.number)
        assert conversation.sink.turns() == [answer.number, announcement.number]
        assert conversation.done(answer.number)[0].state == "done"
        assert conversation.chat.prompt("x")[-2].content.endswith("The tea is ready.")


def test_a_typed_text_interrupts_what_is_being_spoken() -> None:
    with Conversation() as conversation:
        first = conversation.session.respond("question")
        conversation.settle()
        assert state_of(first) is TurnState.SPEAKING
        second = conversation.session.respond("another")
        assert state_of(first) is TurnState.INTERRUPTED
        conversation.until_done(second.number)
        assert conversation.llm.prompts[1][-1].content.endswith("another")


def test_speech_that_goes_on_before_the_answer_replaces_the_turn() -> None:
    with Conversation() as conversation:
        conversation.llm.hold.close()
        conversation.speak(320)
        conversation.wait(192, settle=False)
        conversation.llm.hold.wait_until_reached()
        conversation.speak(320, settle=False)
        wait_for(lambda: conversation.session.barge_in.awaited.turn is not None, "the user going on")
        conversation.llm.hold.open()
        conversation.wait(256)
        conversation.until_done(2)
        assert conversation.done(1)[0].state == "dropped"
        assert conversation.sink.turns() == [2]
        first, _, both = conversation.stt.heard
        assert len(both) > 2 * len(first), "the second utterance, once it was judged, carries the first"
        assert len(conversation.chat.prompt("x")) == 4, "one exchange, the prompt and x"


def test_two_utterances_that_were_both_answered_stay_two() -> None:
    with Conversation() as conversation:
        conversation.ask()
        conversation.until_done(1)
        conversation.wait(500)
        conversation.ask()
        conversation.until_done(2)
        first, second = conversation.stt.heard
        assert len(second) - len(first) == 4 * 512, "the padding before it, no more"


def test_an_interruption_before_anything_was_heard_keeps_the_words_of_the_user() -> None:
    with Conversation(stt=ScriptedRecognizer("my question")) as conversation:
        conversation.tts.hold.close()
        conversation.speak(320)
        conversation.wait(192, settle=False)
        conversation.tts.hold.wait_until_reached()
        conversation.session.interrupt()
        conversation.tts.hold.open()
        conversation.settle()
        assert [m.content for m in conversation.chat.prompt("and now?")[1:]] == ["my question\nand now?"]


@pytest.mark.parametrize("seed", range(4))
def test_a_hundred_interruptions_at_random_moments(seed: int) -> None:
    """Real threads, random moments: the interrupter races the stages on purpose."""
    chance = random.Random(seed)
    reply = "The reply begins here. It goes on and on and on. Then it ends."
    with Conversation(llm=ScriptedModel(reply)) as conversation:
        for _ in range(100):
            turn = conversation.session.respond("question")
            for _ in range(chance.randrange(12)):
                conversation.wait(32, settle=chance.random() < 0.5)
            interrupter = threading.Thread(target=conversation.session.interrupt)
            interrupter.start()
            if chance.random() < 0.5:
                conversation.wait(32, settle=False)
            interrupter.join()
            sent = len(conversation.sink.audio(turn.number))
            conversation.settle()
            conversation.wait(64)
            assert len(conversation.sink.audio(turn.number)) == sent, "nothing of it afterwards"
        ended = [event for event in conversation.events(TurnDone) if isinstance(event, TurnDone)]
        assert [event.turn for event in ended] == list(range(1, 101))
        assert {event.state for event in ended} == {"interrupted"}
        assert any(event.heard for event in ended), "some were interrupted mid-sentence"
        for event in ended:
            assert reply.startswith(event.heard)
            sent_ms = 1000 * len(conversation.sink.audio(event.turn)) / RATE_HZ
            letters = len(event.heard) - event.heard.count(". ")  # the space between is not spoken
            assert (letters - 1) * MS_PER_CHARACTER <= sent_ms, "not more than was sent"
        conversation.llm._replies = ["One sentence. Another sentence."]
        the_next_turn_speaks(conversation)


def test_interruptions_of_a_client_that_reads_nothing() -> None:
    with Conversation() as conversation:
        for _ in range(50):
            conversation.sink.blocked = True
            turn = conversation.session.respond("question")
            conversation.wait(64)
            conversation.session.interrupt()
            assert turn.state is TurnState.INTERRUPTED
            assert conversation.sink.turns() == []
        conversation.sink.blocked = False
        the_next_turn_speaks(conversation)


def test_no_thread_is_left_behind() -> None:
    before = set(threading.enumerate())
    for _ in range(20):
        with Conversation() as conversation:
            conversation.ask()
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE_S)
        assert not thread.is_alive(), thread.name


def unblock(conversation: Conversation) -> None:
    conversation.sink.blocked = False
    conversation.session.playout.wake()


def test_speech_without_a_pause_is_cut_and_not_joined_again() -> None:
    """Otherwise utterances would grow without limit while no answer comes."""
    settings = EndpointerSettings(min_silence_ms=192, min_speech_ms=64, max_speech_ms=1000)
    with Conversation(endpointing=settings) as conversation:
        conversation.sink.blocked = True
        conversation.speak(8000)
        conversation.wait(500)
        unblock(conversation)
        conversation.until(lambda: bool(conversation.done(8)))
        assert [round(len(heard) / RATE_HZ, 1) for heard in conversation.stt.heard[:7]] == [1.0] * 7
        assert sum(map(len, conversation.stt.heard)) == pytest.approx(8 * RATE_HZ, rel=0.05)
        the_next_turn_speaks(conversation)


def test_a_sound_just_before_the_end_does_not_hold_the_answer_back() -> None:
    with Conversation() as conversation:
        conversation.sink.blocked = True
        conversation.ask()
        conversation.speak(32)
        conversation.session.finish()
        unblock(conversation)
        assert conversation.until_done(1).heard == "One sentence. Another sentence."


def test_a_microphone_that_falls_silent_in_mid_word_does_not_hold_the_answer_back() -> None:
    with Conversation() as conversation:
        conversation.sink.blocked = True
        conversation.ask()
        conversation.speak(32)
        unblock(conversation)
        for _ in range(200):
            conversation.settle()
            conversation.clock.advance(RATE_HZ // 20)
        conversation.settle()
        assert conversation.done(1)[0].heard == "One sentence. Another sentence."


def test_a_stage_that_dies_ends_the_session_and_says_so() -> None:
    with Conversation() as conversation:
        conversation.sink.error = OSError("no space left on device")
        conversation.ask()
        conversation.until(lambda: conversation.session.state is SessionState.CLOSED)
        (error,) = conversation.events(ErrorEvent)
        assert isinstance(error, ErrorEvent)
        assert error.stage == "playout"
        assert conversation.done(1)


def test_a_turn_that_came_too_late_is_ended_too() -> None:
    """A turn begun while the session ends, which no stage will ever see."""
    with Conversation() as conversation:
        conversation.session.finish()
        late = conversation.session.begin_turn(Origin.TEXT)
        conversation.until(lambda: conversation.session.state is SessionState.CLOSED)
        assert not late.alive
        assert conversation.done(late.number)


def test_a_failed_answer_is_remembered_as_cut_short() -> None:
    with Conversation() as conversation:
        conversation.tts.error_at_text = ("Another sentence.", RuntimeError("no voice"))
        conversation.ask()
        conversation.until_done(1)
        answer = conversation.chat.prompt("and now?", None)[-2].content
        assert answer.startswith("One sentence.")
        assert answer.endswith(CUT_MARK)
