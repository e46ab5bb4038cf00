"""The OpenAI Realtime protocol: events sent in one breath, before the client knows what has happened."""

import random
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from LLM.chat import NO_RESULT
from pipeline.messages import ChatMessage, CutOff, ToolCall
from pipeline.session import Session
from pipeline.settings import ANY_TOOL, Tool
from pipeline.turn import CancelToken
from testing.server import ScriptedWebServer
from tests.connections.realtime.test_realtime import WEATHER
from tests.realtime_client import RealtimeClient
from tests.socket_clients import wait_for

SPEECH = "One sentence that takes a while to say. " * 4
LONG = 10 * SPEECH
"""16 s, longer than any test takes to interrupt it."""
ACTIVE = "conversation_already_has_active_response"
NOTE = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "A note."}]}
EVENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "create": ("response.create", {}),
    "cancel": ("response.cancel", {}),
    "old": ("response.cancel", {"response_id": "resp_0"}),
    "update": ("session.update", {"session": {"type": "realtime", "instructions": "Be brief."}}),
    "clear": ("input_audio_buffer.clear", {}),
    "note": ("conversation.item.create", {"item": NOTE}),
    "delete": ("conversation.item.delete", {"item_id": "item_heard_1"}),
    "truncate": (
        "conversation.item.truncate",
        {"item_id": "item_heard_2", "content_index": 0, "audio_end_ms": 20},
    ),
}
CALL = ToolCall("call_7", "weather", '{"city": "London"}')


def send_note(client: RealtimeClient, text: str) -> None:
    """Add a message without waiting for anything."""
    content = [{"type": "input_text", "text": text}]
    item = {"type": "message", "role": "user", "content": content}
    client.send("conversation.item.create", item=item)


def send_result(client: RealtimeClient, call: str = CALL.id) -> None:
    item = {"type": "function_call_output", "call_id": call, "output": "rain"}
    client.send("conversation.item.create", item=item)


def fence(client: RealtimeClient) -> None:
    """Wait until everything sent so far was handled."""
    client.send("input_audio_buffer.clear")
    client.until("input_audio_buffer.cleared")


def outcomes(client: RealtimeClient) -> list[str]:
    """The status of each response, in order of creation; each ends once, and nothing of it follows."""
    over: list[str] = []
    for event in client.events:
        if event.type == "response.done":
            over.append(event.response.id)
        else:
            assert getattr(event, "response_id", None) not in over, event
    assert over == [event.response.id for event in client.of("response.created")]
    return [event.response.status for event in client.of("response.done")]


def codes(client: RealtimeClient) -> list[str]:
    return [event.error.code for event in client.of("error")]


def speak_then_call(server: ScriptedWebServer, speech: str = SPEECH) -> None:
    """Let the first answer of the model be words, followed by a call."""
    replies = server.llm.generate

    def generate(
        messages: Sequence[ChatMessage],
        cancel: CancelToken,
        tools: Sequence[Tool] = (),
        tool_choice: str = ANY_TOOL,
    ) -> Iterator[str | ToolCall | CutOff]:
        if server.llm.prompts:
            yield from replies(messages, cancel, tools, tool_choice)
            return
        server.llm.prompts.append(messages)
        yield speech
        yield CALL

    server.llm._replies = ["It rains."]
    server.llm.generate = generate  # type: ignore[method-assign]


class TestCancel:
    @pytest.mark.parametrize("moment", ["at once", "the model works", "it is heard"])
    def test_a_response_follows_the_cancelled_one(
        self, server: ScriptedWebServer, client: RealtimeClient, moment: str
    ) -> None:
        if moment == "the model works":
            server.llm.hold.close()
        send_note(client, "old")
        client.send("response.create")
        if moment == "the model works":
            wait_for(lambda: bool(server.llm.prompts), "the first question")
        elif moment == "it is heard":
            client.until("response.output_audio.delta")
        client.send("response.cancel")
        send_note(client, "new")
        client.send("response.create")
        client.until("response.done")
        server.llm.hold.open()
        last = client.until("response.done").response
        assert last.output[0].content[0].transcript == "One sentence. Another sentence."
        assert server.llm.prompts[-1][-1].content.endswith("new")
        fence(client)
        assert (outcomes(client), codes(client)) == (["cancelled", "completed"], [])

    def test_an_end_that_is_reported_late(
        self, server: ScriptedWebServer, client: RealtimeClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        interrupt = Session.interrupt

        def later(session: Session, reason: str = "", *, number: int | None = None) -> None:
            threading.Timer(0.2, interrupt, (session, reason), {"number": number}).start()

        monkeypatch.setattr(Session, "interrupt", later)
        server.llm._replies = [LONG, "Short."]
        client.send("response.create")
        client.until("response.output_audio.delta")
        client.send("response.cancel")
        client.send("response.create")
        client.send("response.create", event_id="one too many")
        assert client.until("error").error.event_id == "one too many"
        client.until("response.done")
        assert client.until("response.done").response.output[0].content[0].transcript == "Short."
        fence(client)
        assert (outcomes(client), codes(client)) == (["cancelled", "completed"], [ACTIVE])

    @pytest.mark.parametrize(
        ("events", "statuses", "refused"),
        [
            (["cancel", "create"], ["completed"], ["response_cancel_not_active"]),
            (["create", "create"], ["completed"], [ACTIVE]),
            (
                ["create", "cancel", "cancel", "create"],
                ["cancelled", "completed"],
                ["response_cancel_not_active"],
            ),
            (["create", "cancel"] * 12 + ["create"], ["cancelled"] * 12 + ["completed"], []),
            (["create", "old"], ["completed"], ["response_cancel_not_active"]),
            (["create", "cancel", "update", "create"], ["cancelled", "completed"], []),
            (["create", "cancel", "clear", "create"], ["cancelled", "completed"], []),
            (
                ["create", "update", "cancel", "clear"] * 2 + ["create"],
                ["cancelled"] * 2 + ["completed"],
                [],
            ),
        ],
        ids=["none", "twice", "cancelled twice", "12 times", "old id", "update", "clear", "mixed"],
    )
    def test_in_one_breath(
        self, client: RealtimeClient, events: list[str], statuses: list[str], refused: list[str]
    ) -> None:
        for name in events:
            kind, more = EVENTS[name]
            client.send(kind, **more)
        client.receive_until(lambda _: len(client.of("response.done")) == len(statuses))
        fence(client)
        assert (outcomes(client), codes(client)) == (statuses, refused)

    @pytest.mark.parametrize("seed", range(8))
    def test_in_any_order(self, server: ScriptedWebServer, client: RealtimeClient, seed: int) -> None:
        choose = random.Random(seed)
        server.llm._replies = [LONG]
        for name in choose.choices([*EVENTS], k=60):
            kind, more = EVENTS[name]
            client.send(kind, **more)
            time.sleep(choose.choice((0, 0, 0.02)))
        client.send("response.cancel")
        server.llm._replies = ["Short."]
        client.send("response.create", response={"metadata": {"this": "is the last"}})
        last = client.receive_until(lambda e: e.type == "response.done" and e.response.metadata)
        assert last.response.output[0].content[0].transcript == "Short."
        fence(client)
        assert outcomes(client)[-1] == "completed"
        assert "internal_error" not in codes(client)

    def test_an_item_is_deleted_as_soon_as_its_response_is_cancelled(
        self, server: ScriptedWebServer, client: RealtimeClient
    ) -> None:
        server.llm._replies = [LONG, "Short."]
        client.send("response.create")
        item = client.until("response.output_audio.delta").item_id
        client.send("response.cancel")
        client.send("conversation.item.delete", item_id=item)
        client.send("response.create")
        client.until("conversation.item.deleted")
        assert client.until("response.done").response.status == "completed"
        assert not [message for message in server.llm.prompts[1] if message.role == "assistant"]
        assert codes(client) == []

    def test_a_truncated_reply_is_followed_by_the_next(
        self, server: ScriptedWebServer, client: RealtimeClient
    ) -> None:
        server.llm._replies = [LONG, "Short."]
        client.send("response.create")
        item = client.until("response.output_audio.delta").item_id
        client.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=10)
        client.send("response.create")
        client.until("response.done")
        client.until("response.done")
        assert (outcomes(client), codes(client)) == (["cancelled", "completed"], [])


cut_short = pytest.mark.parametrize("speaks_and_calls", [3 * SPEECH], indirect=True, ids=["long"])


class TestResultsDuringSpeech:
    """The model speaks before it calls a function, and the result comes while it is still heard."""

    @pytest.fixture(autouse=True)
    def speaks_and_calls(
        self, server: ScriptedWebServer, client: RealtimeClient, request: pytest.FixtureRequest
    ) -> None:
        speak_then_call(server, getattr(request, "param", SPEECH))
        client.configure(tools=[WEATHER])
        client.note("How is the weather?")
        client.send("response.create")
        client.until("response.function_call_arguments.done")

    def test_the_answer_follows_the_words(
        self, server: ScriptedWebServer, client: RealtimeClient
    ) -> None:
        send_result(client)
        client.send("response.create")
        client.until("response.done")
        assert client.until("response.done").response.output[0].content[0].transcript == "It rains."
        assert (outcomes(client), codes(client)) == (["completed", "completed"], [])
        called, result = server.llm.prompts[1][-2:]
        assert (called.content, called.calls) == (SPEECH.strip(), (CALL,))
        assert (result.answers, result.content) == (CALL.id, "rain")

    @pytest.mark.parametrize("call", [None, "call_of_nobody"])
    def test_without_the_result_one_response_at_a_time(
        self, client: RealtimeClient, call: str | None
    ) -> None:
        if call is not None:
            send_result(client, call)
        client.send("response.create", event_id="mine")
        assert client.until("error").error.event_id == "mine"
        assert codes(client) == [ACTIVE]
        client.until("response.done")
        assert outcomes(client) == ["completed"]

    def test_one_request_waits(self, client: RealtimeClient) -> None:
        send_result(client)
        client.send("response.create")
        client.send("response.create", event_id="second")
        assert client.until("error").error.event_id == "second"
        client.until("response.done")
        client.until("response.done")
        assert (outcomes(client), codes(client)) == (["completed", "completed"], [ACTIVE])

    @cut_short
    def test_a_cancel_withdraws_it(self, client: RealtimeClient) -> None:
        send_result(client)
        client.send("response.create")
        client.send("response.cancel")
        fence(client)
        assert (outcomes(client), codes(client)) == (["cancelled"], [])
        client.send("response.create")
        client.until("response.done")
        assert outcomes(client) == ["cancelled", "completed"]

    def test_a_request_beside_the_conversation_does_not_wait_for_it(
        self, client: RealtimeClient
    ) -> None:
        send_result(client)
        client.send("response.create")
        client.send("response.create", response={"conversation": "none"})
        for _ in range(3):
            client.until("response.done")
        assert codes(client) == []

    @cut_short
    def test_speech_takes_its_place(self, server: ScriptedWebServer, client: RealtimeClient) -> None:
        client.until("response.output_audio.delta")
        send_result(client)
        client.send("response.create", event_id="mine")
        client.ask()
        refused = client.until("error").error
        assert (refused.code, refused.event_id) == (ACTIVE, "mine")
        assert client.until("response.done").response.status == "completed"
        assert outcomes(client) == ["cancelled", "completed"]
        assert [message.content for message in server.llm.prompts[1]][-2:] == ["rain", "words"]

    @cut_short
    def test_a_call_that_still_runs_is_shown_to_the_model(
        self, server: ScriptedWebServer, client: RealtimeClient
    ) -> None:
        client.until("response.output_audio.delta")
        client.ask()
        client.until("response.done")
        client.until("response.done")
        called, result = server.llm.prompts[1][-3:-1]
        assert called.calls == (CALL,)
        assert (result.role, result.answers, result.content) == ("tool", CALL.id, NO_RESULT)
        send_result(client)
        client.send("response.create")
        client.until("response.done")
        results = [message.content for message in server.llm.prompts[2] if message.answers]
        assert results == ["rain"]


def test_a_call_is_remembered_although_the_user_went_on(
    server: ScriptedWebServer, client: RealtimeClient
) -> None:
    """The turn is dropped, since nothing of it was heard; the client has begun to carry out the call."""
    speak_then_call(server)
    client.configure(tools=[WEATHER])
    server.tts.hold.close()
    client.ask()
    client.until("response.function_call_arguments.done")
    client.ask()
    client.until("conversation.item.deleted")
    server.tts.hold.open()
    client.until("response.done")
    assert client.until("response.done").response.status == "completed"
    called, result, said = server.llm.prompts[1][-3:]
    assert (called.calls, result.content, said.content) == ((CALL,), NO_RESULT, "words")
