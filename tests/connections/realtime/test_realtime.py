"""The OpenAI Realtime protocol, with the real `openai` client: conversations."""

import pytest

from LLM.chat import NO_RESULT
from pipeline.errors import EngineError
from pipeline.messages import ToolCall
from pipeline.session import SHUT_DOWN
from testing.server import ScriptedWebServer
from tests.realtime_client import RealtimeClient

LONG = "One sentence that takes a while to say. " * 40
"""16 s, longer than any test takes to interrupt it."""
WEATHER = {
    "type": "function",
    "name": "weather",
    "description": "The weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


class TestConversation:
    def test_a_question_is_answered(self, client: RealtimeClient) -> None:
        client.ask()
        done = client.until("response.done").response
        assert done.status == "completed"
        kinds = client.kinds()
        order = [
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.input_audio_transcription.completed",
            "conversation.item.done",
            "response.created",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_audio.delta",
            "response.output_audio.done",
            "response.output_audio_transcript.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.done",
        ]
        assert [kind for kind in dict.fromkeys(kinds) if kind in order] == order
        (user, answer) = client.of("conversation.item.done")
        assert user.item.id == client.of("input_audio_buffer.speech_started")[0].item_id
        assert user.item.content[0].transcript == "words"
        assert answer.item.content[0].transcript == "One sentence. Another sentence."
        said = "".join(event.delta for event in client.of("response.output_audio_transcript.delta"))
        assert said == "One sentence. Another sentence."
        assert len(client.audio()) / 24000 == pytest.approx(0.3, abs=0.05)
        assert {event.response_id for event in client.of("response.output_audio.delta")} == {done.id}
        assert done.output[0].content[0].transcript == said
        places = [event.previous_item_id for event in client.of("conversation.item.added")]
        assert places == [None, user.item.id]
        assert len({event.event_id for event in client.events}) == len(client.events)

    def test_when_the_server_stops_the_client_is_told(
        self, server: ScriptedWebServer, client: RealtimeClient
    ) -> None:
        server.stop()
        error = client.until("error").error
        assert (error.code, error.message) == ("ended", f"the session has ended: {SHUT_DOWN}")

    def test_what_was_said_before_is_remembered(
        self, server: ScriptedWebServer, client: RealtimeClient
    ) -> None:
        for _ in range(2):
            client.ask()
            client.until("response.done")
        roles = [message.role for message in server.llm.prompts[1]]
        assert roles == ["system", "user", "assistant", "user"]

    def test_typed_text_is_answered_on_request(
        self, server: ScriptedWebServer, client: RealtimeClient
    ) -> None:
        client.note("Tell me about tea.")
        client.send("response.create")
        assert client.until("response.done").response.status == "completed"
        assert [message.content for message in server.llm.prompts[0]][1:] == ["Tell me about tea."]

    def test_an_answer_as_text_only(self, client: RealtimeClient) -> None:
        client.configure(output_modalities=["text"])
        client.note("Hello.")
        client.send("response.create")
        done = client.until("response.done").response
        deltas = client.of("response.output_text.delta")
        assert len(deltas) == 4, "word by word, as the model writes"
        assert "".join(event.delta for event in deltas) == "One sentence. Another sentence."
        assert done.output[0].content[0].text == "One sentence. Another sentence."
        assert not client.of("response.output_audio.delta")

    def test_a_response_beside_the_conversation(
        self, server: ScriptedWebServer, client: RealtimeClient
    ) -> None:
        noted = client.note("The conversation.")
        client.send(
            "response.create",
            response={
                "conversation": "none",
                "output_modalities": ["text"],
                "metadata": {"topic": "summary"},
                "instructions": "Be a poet.",
                "input": [
                    {"type": "item_reference", "id": noted},
                    {
                        "type": "message",
                        "role": "user",
                        "content": [{"type": "input_text", "text": "Something else."}],
                    },
                ],
            },
        )
        done = client.until("response.done").response
        assert done.conversation_id is None
        assert done.metadata == {"topic": "summary"}
        contents = [message.content for message in server.llm.prompts[0]]
        assert contents == ["Be a poet.", "The conversation.\nSomething else."]
        client.send("response.create")
        assert client.until("response.done").response.conversation_id
        assert [message.content for message in server.llm.prompts[1]][1:] == ["The conversation."]


class TestItems:
    def test_created_retrieved_and_deleted(self, client: RealtimeClient) -> None:
        first, third = client.note("First."), client.note("Third.", "assistant")
        second = {
            "id": "mine",
            "type": "message",
            "role": "system",
            "content": [{"type": "input_text", "text": "Second."}],
        }
        client.send("conversation.item.create", item=second, previous_item_id=first)
        added = client.until("conversation.item.added")
        assert (added.item.id, added.previous_item_id) == ("mine", first)
        client.send("conversation.item.retrieve", item_id="mine")
        assert client.until("conversation.item.retrieved").item.content[0].text == "Second."
        client.send("conversation.item.delete", item_id=third)
        assert client.until("conversation.item.deleted").item_id == third
        client.send("conversation.item.retrieve", item_id=third)
        assert client.until("error").error.code == "item_retrieve_invalid_item_id"

    def test_the_order_of_items_is_that_of_the_prompt(
        self, server: ScriptedWebServer, client: RealtimeClient
    ) -> None:
        client.note("Second.")
        item = {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "First."}],
        }
        client.send("conversation.item.create", item=item, previous_item_id="root")
        client.until("conversation.item.added")
        client.send("response.create")
        client.until("response.done")
        assert [message.content for message in server.llm.prompts[0]][1:] == ["First.", "Second."]

    def test_truncation_shortens_the_memory_to_what_was_heard(
        self, server: ScriptedWebServer, client: RealtimeClient
    ) -> None:
        server.llm._replies = [LONG, "Short."]
        client.note("Talk to me.")
        client.send("response.create")
        for _ in range(20):
            client.until("response.output_audio.delta")
        item = client.events[-1].item_id
        client.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=130)
        assert client.until("conversation.item.truncated").audio_end_ms == 130
        done = client.until("response.done").response
        assert (done.status, done.status_details.reason) == ("cancelled", "client_cancelled")
        client.send("conversation.item.retrieve", item_id=item)
        heard = client.until("conversation.item.retrieved").item
        assert heard.content[0].transcript == "One sentence", "10 ms for each character"
        assert heard.status == "incomplete"
        client.send("response.create")
        client.until("response.done")
        assert server.llm.prompts[1][-1].content == "One sentence…"


class TestTools:
    @pytest.fixture
    def call(self) -> ToolCall:
        return ToolCall("call_7", "weather", '{"city": "London"}')

    def test_a_function_is_asked_for_and_its_result_answered(
        self, server: ScriptedWebServer, client: RealtimeClient, call: ToolCall
    ) -> None:
        server.llm._replies = [call, "It rains."]
        client.configure(tools=[WEATHER], tool_choice="required")
        client.ask()
        done = client.until("response.done").response
        (item,) = done.output
        assert (item.type, item.name, item.call_id) == ("function_call", "weather", "call_7")
        assert item.arguments == call.arguments
        deltas = client.of("response.function_call_arguments.delta")
        assert len(deltas) == 3
        assert "".join(event.delta for event in deltas) == call.arguments
        assert client.of("response.function_call_arguments.done")[0].arguments == call.arguments
        tools, choice = server.llm.tools[0]
        assert (tools[0].name, choice) == ("weather", "required")
        output = {"type": "function_call_output", "call_id": "call_7", "output": "rain"}
        client.send("conversation.item.create", item=output)
        client.send("response.create")
        assert client.until("response.done").response.status == "completed"
        asked, answered = server.llm.prompts[1][-2:]
        assert asked.calls == (call,)
        assert (answered.role, answered.content, answered.answers) == ("tool", "rain", "call_7")

    def test_the_model_sees_that_it_has_called_a_function_without_a_result_yet(
        self, server: ScriptedWebServer, client: RealtimeClient, call: ToolCall
    ) -> None:
        server.llm._replies = [call, "Well."]
        client.configure(tools=[WEATHER])
        for _ in range(2):
            client.ask()
            client.until("response.done")
        called, result = server.llm.prompts[1][-3:-1]
        assert (called.calls, result.content) == ((call,), NO_RESULT)

    def test_a_model_that_numbers_its_calls_anew(
        self, server: ScriptedWebServer, client: RealtimeClient
    ) -> None:
        server.llm._replies = [ToolCall("call_0", "weather", '{"city": "x"}')] * 2 + ["It snows."]
        client.configure(tools=[WEATHER])
        for result in ("rain", "snow"):
            client.note("And there?")
            client.send("response.create")
            (item,) = client.until("response.done").response.output
            output = {"type": "function_call_output", "call_id": item.call_id, "output": result}
            client.send("conversation.item.create", item=output)
        client.send("response.create")
        client.until("response.done")
        results = [message for message in server.llm.prompts[2] if message.answers]
        assert [message.content for message in results] == ["rain", "snow"]

    def test_the_tool_that_has_to_be_called(
        self, server: ScriptedWebServer, client: RealtimeClient
    ) -> None:
        named = {"type": "function", "name": "weather"}
        client.configure(tools=[WEATHER], tool_choice=named)
        client.note("Go.")
        client.send("response.create", response={"tool_choice": "none"})
        client.until("response.done")
        client.send("response.create")
        client.until("response.done")
        assert [choice for _, choice in server.llm.tools] == ["none", "weather"]


class TestFailures:
    """Each stage fails in the middle of a turn; the next turn works."""

    def test_the_recognizer(self, server: ScriptedWebServer, client: RealtimeClient) -> None:
        server.stt.error = EngineError("the recognizer is ill")
        client.ask()
        failed = client.until("conversation.item.input_audio_transcription.failed")
        assert failed.error.message == "the recognizer is ill"
        server.stt.error = None
        client.ask()
        assert client.until("response.done").response.status == "completed"

    def test_the_model(self, server: ScriptedWebServer, client: RealtimeClient) -> None:
        server.llm.error_after_words = (1, EngineError("the model is ill"))
        client.ask()
        done = client.until("response.done").response
        assert done.status == "failed"
        assert done.status_details.error.message == "the model is ill"
        assert not any(text.startswith("The language model") for text in server.tts.spoken)
        server.llm.error_after_words = None
        client.ask()
        assert client.until("response.done").response.status == "completed"

    def test_the_voice(self, server: ScriptedWebServer, client: RealtimeClient) -> None:
        server.tts.error_at_text = ("Another sentence.", EngineError("the voice is ill"))
        client.ask()
        assert client.until("response.done").response.status == "failed"
        server.tts.error_at_text = None
        client.ask()
        assert client.until("response.done").response.status == "completed"
