"""Answers that end before the model has finished them."""

import dataclasses

import pytest

from engines.failover_chat_model import FailoverChatModel
from pipeline.events import ErrorEvent, ToolCalled, ToolCallGrew
from pipeline.messages import (
    COMPLETE,
    CONTENT_FILTER,
    INVALID_CALL,
    MAX_OUTPUT_TOKENS,
    ChatMessage,
    CutOff,
    ToolCall,
)
from pipeline.settings import SessionSettings
from pipeline.turn import CancelToken
from testing.conversation import Conversation
from testing.fakes import ScriptedModel

REPLY = "One sentence. Another sen"


@pytest.mark.parametrize("reason", [MAX_OUTPUT_TOKENS, CONTENT_FILTER])
@pytest.mark.parametrize("spoken", [True, False])
def test_the_reason_is_that_of_the_turn_and_what_was_heard_is_remembered(
    reason: str, spoken: bool
) -> None:
    model = ScriptedModel(REPLY)
    model.cut_off = reason
    with Conversation(llm=model, settings=SessionSettings(spoken=spoken)) as conversation:
        done = conversation.until_done(conversation.session.respond("Hello.").number)
        assert (done.state, done.reason, done.heard) == ("done", reason, REPLY)
        assert conversation.chat.prompt("")[-1].content == REPLY
        model.cut_off = None
        done = conversation.until_done(conversation.session.respond("Hello.").number)
        assert done.reason == COMPLETE


@pytest.mark.parametrize("answer", ["<think>One mo", "<think>One moment.</think>\n", "", " \n"])
@pytest.mark.parametrize(
    ("reason", "what_to_do"),
    [(MAX_OUTPUT_TOKENS, "raise --llm_gen_max_tokens"), (CONTENT_FILTER, "in other words")],
)
@pytest.mark.parametrize("spoken", [True, False])
@pytest.mark.parametrize("keeps_thoughts", [True, False])
def test_an_answer_that_is_cut_off_before_the_first_word_is_an_error(
    answer: str, reason: str, what_to_do: str, spoken: bool, keeps_thoughts: bool
) -> None:
    model = ScriptedModel(answer)
    model.cut_off = reason
    model.info = dataclasses.replace(model.info, keeps_thoughts=keeps_thoughts)
    with Conversation(llm=model, settings=SessionSettings(spoken=spoken)) as conversation:
        conversation.until_done(conversation.session.respond("Hello.").number)
        errors = conversation.events(ErrorEvent)
    if keeps_thoughts and answer.strip():
        assert errors == []
    else:
        (error,) = errors
        assert (error.stage, error.code) == ("llm", "nothing_heard")
        assert what_to_do in error.text


NO_OBJECTS = (
    '{"city": "Lon',
    "",
    "null",
    "[]",
    '"London"',
    '{"city": "London"}}',
    '{"city": NaN}',
    "London",
)


@pytest.mark.parametrize("arguments", NO_OBJECTS)
@pytest.mark.parametrize("reason", [None, MAX_OUTPUT_TOKENS])
def test_a_call_whose_arguments_are_no_object_is_not_reported(
    arguments: str, reason: str | None
) -> None:
    model = ScriptedModel(ToolCall("1", "weather", arguments), "Fine.")
    model.cut_off = reason
    with Conversation(llm=model) as conversation:
        done = conversation.until_done(conversation.session.respond("Hello.").number)
        assert done.reason == (reason or INVALID_CALL)
        assert conversation.events(ToolCallGrew)
        assert not conversation.events(ToolCalled)
        conversation.until_done(conversation.session.respond("And now?").number)
        assert not any(message.calls for message in model.prompts[-1])


def test_a_client_that_answers_such_a_call_is_not_alone_with_it() -> None:
    model = ScriptedModel(ToolCall("1", "weather", '{"city'), "Fine.")
    with Conversation(llm=model) as conversation:
        conversation.until_done(conversation.session.respond("Hello.").number)
        conversation.chat.note("result", ChatMessage("tool", "rain", answers="1"))
        conversation.until_done(conversation.session.respond("").number)
        call, result = model.prompts[-1][-2:]
        assert call.calls == (ToolCall("1", "weather", "{}"),)
        assert (result.answers, result.content) == ("1", "rain")


def test_it_passes_through_a_failover() -> None:
    model = ScriptedModel("Fine.")
    model.cut_off = MAX_OUTPUT_TOKENS
    answer = FailoverChatModel([model], 1.0).generate([ChatMessage("user", "Hello.")], CancelToken())
    assert list(answer) == ["Fine.", CutOff(MAX_OUTPUT_TOKENS)]
