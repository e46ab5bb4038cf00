"""The OpenAI Realtime protocol: habits of the clients in use."""

import pytest

from testing.server import ScriptedWebServer
from tests.connections.realtime.test_realtime import LONG, WEATHER
from tests.realtime_client import RealtimeClient


def test_what_a_response_leaves_null_is_as_in_the_session(
    server: ScriptedWebServer, client: RealtimeClient
) -> None:
    client.configure(instructions="Be a pirate.", tools=[WEATHER])
    client.note("Hello.")
    wishes = ("instructions", "tools", "tool_choice", "output_modalities")
    client.send("response.create", response=dict.fromkeys(wishes))
    assert client.until("response.done").response.status == "completed"
    assert server.llm.prompts[0][0].content == "Be a pirate."
    assert [tool.name for tool in server.llm.tools[0][0]] == ["weather"]


def test_an_answer_that_was_stopped_at_once_is_an_item(
    server: ScriptedWebServer, client: RealtimeClient
) -> None:
    server.llm._replies = [LONG]
    client.send("response.create")
    for _ in range(25):  # 500 ms: what was not sent cannot have been heard
        item = client.until("response.output_audio.delta").item_id
    # Of a sentence that is not complete, words count as heard later: the first one after 250 ms.
    for heard_ms, first in ((0, []), (400, ["One"])):
        client.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=heard_ms)
        client.until("conversation.item.truncated")
        client.send("conversation.item.retrieve", item_id=item)
        heard = client.until("conversation.item.retrieved").item
        assert [part.transcript.split()[0] for part in heard.content] == first
        assert heard.status == "incomplete"


def test_an_answer_is_deleted_when_it_was_cancelled(
    server: ScriptedWebServer, client: RealtimeClient
) -> None:
    server.llm._replies = [LONG, "Short."]
    question = client.note("Talk to me.")
    client.send("response.create")
    item = client.until("response.output_audio.delta").item_id
    client.send("conversation.item.delete", item_id=item)
    assert client.until("error").error.code == "item_delete_invalid_item_id", "it is under way"
    client.send("response.cancel")
    client.send("conversation.item.delete", item_id=item)
    assert client.until("conversation.item.deleted").item_id == item
    gone = len(client.events)
    if not client.of("response.done"):
        client.until("response.done")
    client.note("Go on.")
    assert client.of("conversation.item.added")[-1].previous_item_id == question
    later = [event for event in client.events[gone:] if event.type == "conversation.item.done"]
    assert item not in [event.item.id for event in later]


def test_what_is_not_remembered_any_more_is_still_a_place_and_can_be_deleted(
    server: ScriptedWebServer, client: RealtimeClient
) -> None:
    first, *_, last = [client.note(f"Number {number}.") for number in range(12)]
    note = {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "Note."}]}
    client.send("conversation.item.create", item={**note, "id": "mine"}, previous_item_id=first)
    added = client.until("conversation.item.added")
    assert (added.item.id, added.previous_item_id) == ("mine", first)
    assert client.until("conversation.item.done").previous_item_id == first
    client.send("conversation.item.create", item={**note, "id": "mine"})
    assert client.until("error").error.code == "item_create_duplicate_item_id"
    for id in (first, "mine"):
        client.send("conversation.item.delete", item_id=id)
        assert client.until("conversation.item.deleted").item_id == id
    client.send("response.create")
    client.until("response.done")
    answer = client.of("conversation.item.added")[-1]
    assert answer.previous_item_id == last
    prompt = server.llm.prompts[0][1].content
    assert prompt == "\n".join(f"Number {number}." for number in range(2, 12))


def test_a_cancel_is_meant_for_the_answer_that_speech_has_stopped(
    server: ScriptedWebServer, client: RealtimeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connections.realtime.session.LATE_CANCEL_S", 60.0)
    server.llm._replies = [LONG, "Short."]
    client.ask()
    client.until("response.output_audio.delta")
    client.ask()
    client.until("input_audio_buffer.speech_started")
    client.send("response.cancel")
    error = client.until("error").error
    assert error.code == "response_cancel_not_active"
    assert error.message.startswith("Cancellation failed"), "by which some clients know it"
    while len(client.of("response.done")) < 2:
        client.until("response.done")
    statuses = [event.response.status for event in client.of("response.done")]
    assert statuses == ["cancelled", "completed"]


def test_when_the_server_stops_the_answer_ends_before_the_connection(
    server: ScriptedWebServer, client: RealtimeClient
) -> None:
    server.llm._replies = [LONG]
    client.send("response.create")
    client.until("response.output_audio.delta")
    server.stop()
    done = client.receive_until(lambda event: event.type == "response.done")
    assert done.response.status == "cancelled"
    assert client.receive_until(lambda event: event.type == "error")
