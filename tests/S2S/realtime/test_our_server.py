"""`--s2s realtime`: our own server, with scripted engines, is the model of another of our sessions."""

import random
from collections.abc import Iterator

import numpy as np
import pytest

from pipeline.events import (
    Interrupted,
    ReplyStarted,
    ReplyText,
    SpeechStarted,
    ToolCalled,
    TurnDone,
)
from pipeline.messages import ChatMessage, ToolCall
from pipeline.settings import SessionSettings
from testing.fast_clock import FastClock
from testing.server import ScriptedWebServer
from tests.S2S.realtime.talk import RATE_HZ, WEATHER, Talk, engines_at
from tests.socket_clients import wait_for

SENTENCE = "And then some more words follow. "


@pytest.fixture
def model() -> Iterator[ScriptedWebServer]:
    with ScriptedWebServer() as server:
        yield server


def url(model: ScriptedWebServer) -> str:
    return f"http://127.0.0.1:{model.port}/v1"


@pytest.fixture
def talk(model: ScriptedWebServer) -> Iterator[Talk]:
    with Talk(url(model)) as talk:
        yield talk


class TestConversation:
    def test_a_question_is_answered(self, talk: Talk) -> None:
        talk.ask()
        done = talk.until(TurnDone)
        assert (done.user_text, done.heard) == ("words", "One sentence. Another sentence.")
        assert talk.of(SpeechStarted)[0].sample == pytest.approx(0, abs=2400)
        assert np.abs(talk.sink.audio()).max() == pytest.approx(0.02, abs=0.005), "as it was made"

    def test_the_model_remembers(self, model: ScriptedWebServer, talk: Talk) -> None:
        talk.ask()
        talk.until(TurnDone)
        talk.session.respond("And now?")
        talk.until(TurnDone)
        talk.ask()
        talk.until(TurnDone)
        texts = [message.content for message in model.llm.prompts[-1]]
        answer = "One sentence. Another sentence."
        assert texts[1:] == ["words", answer, "And now?", answer, "words"]
        assert [text for _, text in talk.remembered()] == [*texts[1:], answer]

    def test_a_function_is_called_and_its_result_answered(self, model: ScriptedWebServer) -> None:
        call = ToolCall("call_7", "weather", '{"city": "London"}')
        model.llm._replies = [call, "It rains."]
        with Talk(url(model), settings=SessionSettings(tools=(WEATHER,))) as talk:
            talk.ask()
            called = talk.until(ToolCalled)
            assert (called.name, called.arguments) == ("weather", call.arguments)
            talk.until(TurnDone)
            talk.chat.note("item_result", ChatMessage("tool", "rain", answers=called.call))
            talk.session.respond("")
            assert talk.until(TurnDone).heard == "It rains."
        assert [tool.name for tool in model.llm.tools[0][0]] == ["weather"]
        assert [(m.role, m.content) for m in model.llm.prompts[-1]][-1] == ("tool", "rain")

    def test_push_to_talk(self, model: ScriptedWebServer) -> None:
        with Talk(url(model), settings=SessionSettings(hands_free=False)) as talk:
            for _ in range(3):
                talk.session.start_speech()
                talk.say(400)
                talk.session.commit_speech()
                assert talk.until(TurnDone).heard == "One sentence. Another sentence."
            talk.session.start_speech()
            talk.session.commit_speech()
            talk.session.start_speech()
            talk.say(400)
            talk.session.commit_speech()
            assert talk.until(TurnDone).heard == "One sentence. Another sentence."

    def test_a_key_in_a_conversation_by_voice(self, talk: Talk) -> None:
        talk.ask()
        talk.until(TurnDone)
        talk.session.start_speech()
        talk.say(400)
        talk.say(600, 0.0)  # no pause ends it
        talk.say(400)
        talk.session.commit_speech()
        assert talk.until(TurnDone).turn == 2
        talk.ask()
        assert talk.until(TurnDone).turn == 3

    def test_half_duplex(self, model: ScriptedWebServer) -> None:
        with Talk(url(model), full_duplex=False) as talk:
            for turn in (1, 2, 3):
                assert talk.session.should_listen.wait(5)
                talk.ask()
                talk.until(ReplyStarted)
                talk.say(400)  # the echo of the answer
                done = talk.until(TurnDone)
                assert (done.turn, done.state) == (turn, "done")

    def test_sessions_do_not_disturb_each_other(self, model: ScriptedWebServer) -> None:
        engines = engines_at(url(model))
        with Talk("", engines=engines) as one, Talk("", engines=engines) as other:
            one.ask()
            one.until(ReplyStarted)
            with Talk("", engines=engines) as third:
                third.ask()
                third.until(ReplyStarted)
            other.session.respond("Hello.")
            assert one.until(TurnDone).state == other.until(TurnDone).state == "done"
            assert one.remembered()[0] == ("user", "words")
        engines.close()


class TestInterruption:
    def test_the_server_is_told_what_was_heard(self, model: ScriptedWebServer) -> None:
        model.llm._replies = [SENTENCE * 20]
        with Talk(url(model)) as talk:
            talk.session.respond("Talk.")
            talk.until(ReplyText)
            wait_for(lambda: len(talk.sink.frames) > 40, "more of the answer")
            talk.session.interrupt("client_cancelled")
            done = talk.until(TurnDone)
            talk.session.respond("And?")
            talk.until(ReplyStarted)
            theirs = model.llm.prompts[-1][2].content
        released = len(talk.sink.audio(done.turn))
        assert theirs.startswith(done.heard)
        assert len(theirs) < len(SENTENCE * 20)
        assert len(theirs) <= released * 100 / RATE_HZ + 2, "10 ms for a character, and a mark"

    @pytest.mark.slow
    def test_a_hundred_interruptions_at_random_moments(self, model: ScriptedWebServer) -> None:
        dice = random.Random(7)
        model.llm._replies = [f"Answer {n} begins. {SENTENCE * 20}" for n in range(1, 102)]
        model.clock = clock = FastClock(4)
        with Talk(url(model), clock=clock) as talk:
            for _ in range(100):
                kind = dice.choice(("voice", "text", "stop"))
                if kind == "voice":
                    talk.say(1200)
                    talk.say(600, 0.0)
                elif kind == "text":
                    talk.session.respond("Something else.")
                else:
                    talk.session.interrupt("client_cancelled")
                    talk.session.respond("Something else.")
                talk.until(ReplyStarted)
                frames = len(talk.sink.frames) + dice.randrange(30)
                wait_for(lambda frames=frames: len(talk.sink.frames) >= frames, "more of the answer")
            talk.session.interrupt("client_cancelled")
        assert len(talk.of(Interrupted)) >= 100
        turns = [frame.turn for frame in talk.sink.frames]
        assert turns == sorted(turns), "nothing of an old answer is heard after a new one"
        begun: dict[int, str] = {}
        for event in talk.of(ReplyText):
            begun[event.turn] = begun.get(event.turn, "") + event.text
        answers = [text.split(" begins.")[0] for text in begun.values()]
        assert len(set(answers)) == len(answers) >= 50, "each answer is that of one turn"
