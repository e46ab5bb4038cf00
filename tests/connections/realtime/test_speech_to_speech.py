"""The Realtime protocol with an end-to-end engine behind it: speech, typed text, functions, failures."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from pipeline.errors import EngineError
from pipeline.messages import ChatMessage, ToolCall
from S2S.base import Answer, UserWords
from testing.scripted_responder import ScriptedResponder, said
from testing.server import ScriptedWebServer
from tests.connections.realtime.test_realtime import WEATHER
from tests.realtime_client import RealtimeClient

CALL = ToolCall("call_1", "weather", '{"city": "Oslo"}')

Connect = Callable[..., tuple[RealtimeClient, ScriptedResponder]]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Connects a client to a server whose engine gives these answers."""
    with ExitStack() as stack:

        def begin(*answers: list[Answer]) -> tuple[RealtimeClient, ScriptedResponder]:
            engine = ScriptedResponder(*answers)
            server = stack.enter_context(ScriptedWebServer(s2s=engine))
            client = stack.enter_context(RealtimeClient(server.port))
            client.until("session.created")
            return client, engine

        yield begin


def answer_of(client: RealtimeClient) -> str:
    return "".join(event.delta for event in client.of("response.output_audio_transcript.delta"))


def test_speech_without_words_is_answered(connect: Connect) -> None:
    client, _ = connect()
    client.ask()
    done = client.until("response.done").response
    assert done.status == "completed"
    assert answer_of(client) == "One sentence. Another sentence."
    assert len(client.audio()) / 24000 == pytest.approx(0.2, abs=0.05)
    assert not client.of("conversation.item.input_audio_transcription.completed")
    assert not client.of("conversation.item.input_audio_transcription.failed")


def test_the_words_that_the_model_tells_are_the_transcript(connect: Connect) -> None:
    client, _ = connect([UserWords("How are you?"), said("Fine.")])
    client.ask()
    client.until("response.done")
    (heard,) = client.of("conversation.item.input_audio_transcription.completed")
    assert heard.transcript == "How are you?"
    client.send("conversation.item.retrieve", item_id=heard.item_id)
    assert client.until("conversation.item.retrieved").item.content[0].transcript == "How are you?"


def test_late_words_are_told_too(connect: Connect) -> None:
    client, engine = connect([said("Fine."), UserWords("How are you?")])
    client.ask()
    client.until("conversation.item.input_audio_transcription.completed")
    client.until("response.done")
    client.ask()
    client.until("response.done")
    assert [message.content for message in engine.questions[1].messages[1:]] == ["How are you?", "Fine."]


def test_typed_text_is_answered_in_a_voice(connect: Connect) -> None:
    client, engine = connect()
    client.configure(audio={"output": {"voice": "high"}}, instructions="Be kind.")
    client.note("Hello.")
    client.send("response.create")
    assert client.until("response.done").response.status == "completed"
    (question,) = engine.questions
    assert (question.text, question.settings.voice) == ("Hello.", "high")
    assert question.messages == (ChatMessage("system", "Be kind."),)


def test_an_answer_in_text_only(connect: Connect) -> None:
    client, _ = connect()
    client.configure(output_modalities=["text"])
    client.note("Hello.")
    client.send("response.create")
    client.until("response.done")
    text = "".join(event.delta for event in client.of("response.output_text.delta"))
    assert text == "One sentence. Another sentence."
    assert len(client.audio()) == 0


def test_it_calls_a_function_and_answers_with_the_result(connect: Connect) -> None:
    pieces: list[Answer] = [replace(CALL, arguments=part) for part in ('{"city"', ': "Oslo"}')]
    client, engine = connect(pieces, [said("It rains.")])
    client.configure(tools=[WEATHER])
    client.ask()
    done = client.until("response.done").response
    (call,) = done.output
    assert (call.type, call.name, call.arguments) == ("function_call", "weather", CALL.arguments)
    deltas = "".join(event.delta for event in client.of("response.function_call_arguments.delta"))
    assert deltas == CALL.arguments
    result: dict[str, Any] = {"type": "function_call_output", "call_id": call.call_id, "output": "Rain."}
    client.send("conversation.item.create", item=result)
    client.send("response.create")
    client.until("response.done")
    assert answer_of(client) == "It rains."
    assert engine.questions[1].messages[-1] == ChatMessage("tool", "Rain.", answers="call_1")


def test_an_engine_that_fails_fails_the_response(connect: Connect) -> None:
    client, engine = connect([])
    engine.error = EngineError("the cable is cut", "unreachable")
    client.ask()
    response = client.receive_until(lambda event: event.type == "response.done").response
    assert response.status == "failed"
    assert response.status_details.error.code == "unreachable"
    assert not client.of("conversation.item.input_audio_transcription.failed")
