"""The OpenAI Realtime protocol, with the real `openai` client: beginnings and ends of turns."""

import pytest

from testing.server import ScriptedWebServer
from tests.realtime_client import RealtimeClient

LONG = "One sentence that takes a while to say. " * 40
"""16 s, longer than any test takes to interrupt it."""


class TestTurns:
    def test_without_turn_detection_the_client_commits_and_asks(
        self, server: ScriptedWebServer, client: RealtimeClient
    ) -> None:
        session = client.configure(audio={"input": {"turn_detection": None}})
        assert session.audio.input.turn_detection is None
        client.ask()
        client.send("input_audio_buffer.commit")
        client.send("response.create")
        assert client.until("response.done").response.status == "completed"
        assert client.kinds().count("response.created") == 1
        assert [message.content for message in server.llm.prompts[0]][1:] == ["words"]

    def test_a_second_time_too(self, server: ScriptedWebServer, client: RealtimeClient) -> None:
        client.configure(audio={"input": {"turn_detection": None}})
        for _ in range(2):
            client.ask()
            client.send("input_audio_buffer.commit")
            client.until("conversation.item.done")
        assert server.llm.prompts == []

    def test_a_recording_that_comes_at_once(
        self, server: ScriptedWebServer, client: RealtimeClient
    ) -> None:
        client.configure(audio={"input": {"turn_detection": None}})
        client.say(20_000)
        client.send("input_audio_buffer.commit")
        client.until("conversation.item.input_audio_transcription.completed")
        assert not client.of("error")
        assert len(server.stt.heard[0]) / 16000 == pytest.approx(20, abs=0.1)

    def test_cleared_it_is_forgotten(self, client: RealtimeClient) -> None:
        client.configure(audio={"input": {"turn_detection": None}})
        client.say(400)
        client.send("input_audio_buffer.clear")
        client.until("input_audio_buffer.cleared")
        client.send("input_audio_buffer.commit")
        assert client.until("error").error.code == "input_audio_buffer_commit_empty"

    def test_created_by_the_client_only(self, server: ScriptedWebServer, client: RealtimeClient) -> None:
        detection = {"type": "server_vad", "create_response": False, "silence_duration_ms": 200}
        session = client.configure(audio={"input": {"turn_detection": detection}})
        assert session.audio.input.turn_detection.silence_duration_ms == 200
        client.ask()
        client.until("conversation.item.done")
        assert server.llm.prompts == []
        client.send("response.create")
        client.until("response.done")
        assert [message.content for message in server.llm.prompts[0]][1:] == ["words"]

    def test_a_response_that_is_asked_for_before_the_words_are_known(
        self, server: ScriptedWebServer, client: RealtimeClient
    ) -> None:
        detection = {"type": "server_vad", "create_response": False}
        client.configure(audio={"input": {"turn_detection": detection}})
        server.stt.hold.close()
        client.ask()
        client.until("input_audio_buffer.committed")
        client.send("response.create")
        client.until("response.created")
        server.stt.hold.open()
        assert client.until("response.done").response.status == "completed"
        assert [message.content for message in server.llm.prompts[0]][1:] == ["words"]

    def test_what_is_noted_during_an_answer_comes_behind_it(
        self, server: ScriptedWebServer, client: RealtimeClient
    ) -> None:
        client.note("Tell me a story.")
        client.send("response.create")
        client.until("response.output_audio.delta")
        client.note("And where is Paris?")
        client.until("response.done")
        client.send("response.create")
        client.until("response.done")
        assert [message.role for message in server.llm.prompts[1]][1:] == ["user", "assistant", "user"]

    def test_settings_that_say_the_same_change_nothing(
        self, server: ScriptedWebServer, client: RealtimeClient
    ) -> None:
        same = {"audio": {"input": {"turn_detection": {"type": "server_vad"}}}}
        client.configure(**same)
        server.llm.hold.close()
        client.ask()
        client.until("response.created")
        client.configure(**same)
        client.ask()
        client.until("conversation.item.deleted")
        server.llm.hold.open()
        client.until("response.done")
        assert client.until("response.done").response.status == "completed"
        first, *_, whole = server.stt.heard
        assert len(whole) > 1.5 * len(first), "the second carries both"

    def test_speech_interrupts_the_answer(
        self, server: ScriptedWebServer, client: RealtimeClient
    ) -> None:
        server.llm._replies = [LONG, "Short."]
        client.ask()
        client.until("response.output_audio.delta")
        client.ask()
        first = client.until("response.done").response
        assert (first.status, first.status_details.reason) == ("cancelled", "turn_detected")
        kinds = client.kinds()
        speech = [i for i, kind in enumerate(kinds) if kind == "input_audio_buffer.speech_started"]
        assert len(speech) == 2
        assert speech[1] < kinds.index("response.done"), "the client stops its audio first"
        assert client.until("response.done").response.status == "completed"

    def test_of_noise_over_the_answer_the_client_is_not_told(
        self, server: ScriptedWebServer, client: RealtimeClient
    ) -> None:
        server.llm._replies = ["A sentence that is long enough. " * 5]
        server.stt._texts = ["words", *[""] * 9]
        client.ask()
        client.until("response.output_audio.delta")
        client.ask()
        assert client.until("response.done").response.status == "completed"
        assert client.kinds().count("input_audio_buffer.speech_started") == 1
        assert len(server.stt.heard) > 1, "it was heard, and had no words"

    def test_speech_does_not_interrupt_where_it_should_not(
        self, server: ScriptedWebServer, client: RealtimeClient
    ) -> None:
        server.llm._replies = ["A sentence that is long enough. " * 4, "Short."]
        detection = {"type": "server_vad", "interrupt_response": False, "silence_duration_ms": 200}
        client.configure(audio={"input": {"turn_detection": detection}})
        client.ask()
        client.until("response.output_audio.delta")
        client.ask()
        assert client.until("response.done").response.status == "completed"
        assert client.until("response.done").response.status == "completed"

    def test_a_response_is_cancelled(self, server: ScriptedWebServer, client: RealtimeClient) -> None:
        server.llm._replies = [LONG]
        client.ask()
        client.until("response.output_audio.delta")
        client.send("response.cancel")
        done = client.until("response.done").response
        assert done.status_details.reason == "client_cancelled"
        client.send("response.cancel")
        assert client.until("error").error.code == "response_cancel_not_active"

    def test_one_response_at_a_time(self, server: ScriptedWebServer, client: RealtimeClient) -> None:
        server.llm._replies = [LONG]
        client.note("Go.")
        client.send("response.create")
        client.until("response.created")
        client.send("response.create", event_id="mine")
        error = client.until("error").error
        assert error.code == "conversation_already_has_active_response"
        assert error.event_id == "mine"
