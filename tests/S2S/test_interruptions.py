"""Answers of a server that speaks, interrupted at random moments."""

import random

import pytest

from LLM.chat import CUT_MARK
from pipeline.events import ErrorEvent, TurnDone
from pipeline.messages import SPOKEN
from pipeline.settings import EndpointerSettings
from S2S.openai_audio import OpenAIAudioResponder
from testing.audio_chat_server import AudioChatServer, Dialect
from testing.conversation import QUICK, Conversation

REPLY = "One is the first number. Two comes after it. Three is the last of them."
TURNS = 30


@pytest.mark.parametrize("endpointing", [QUICK, EndpointerSettings()], ids=["patient", "speculating"])
@pytest.mark.parametrize("dialect", ["openai", "vllm-omni"])
def test_nothing_of_an_interrupted_answer_is_heard_afterwards(
    dialect: Dialect, endpointing: EndpointerSettings
) -> None:
    chance = random.Random(0)
    with AudioChatServer(REPLY, dialect) as server:
        engine = OpenAIAudioResponder("m", base_url=server.base_url)
        with Conversation(s2s=engine, endpointing=endpointing, full_duplex=True) as talk:
            for _ in range(TURNS):
                talk.speak(320)
                talk.wait(chance.randrange(256, 6000))
                talk.session.interrupt()
                sent = len(talk.sink.frames)
                talk.wait(320)
                assert len(talk.sink.frames) == sent
            assert not talk.events(ErrorEvent)
            history = [(m.role, m.content) for m in talk.chat.prompt("")[1:]]
            talk.speak(320)
            talk.wait(640)
            assert talk.until_done(talk.session.turns.begun).heard == REPLY
    cut = [done.heard for done in talk.events(TurnDone) if done.state == "interrupted"]
    assert len(cut) > TURNS / 2
    assert all(REPLY.startswith(heard) for heard in cut)
    assert len(set(cut)) > 5, "at many moments"
    said = "\n".join(content for role, content in history if role == "user")
    assert set(said.split("\n")) == {SPOKEN}
    assert any(content.endswith(CUT_MARK) for role, content in history if role == "assistant")
