"""The output of the listeners: plain lines and JSON."""

import io
import json

from listeners.json_lines import JsonLines
from listeners.lines import Lines
from listeners.narration import describe_latency
from pipeline.events import ToolCalled
from pipeline.latency import Latency
from testing.conversation import Conversation
from testing.fakes import ScriptedRecognizer


def talk(conversation: Conversation) -> None:
    conversation.ask()
    conversation.until_done(1)
    conversation.session.close("enough")
    conversation.session.join(60)


def test_plain_lines() -> None:
    out = io.StringIO()
    with Conversation(stt=ScriptedRecognizer("A question.")) as conversation:
        listener = Lines(conversation.session, "7", out=out)
        talk(conversation)
        listener.join(60)
    lines = out.getvalue().splitlines()
    assert lines[:3] == [
        "[7]     you: A question.",
        "[7] machine: One sentence.",
        "[7] machine: Another sentence.",
    ]
    assert "ms to the first audio = silence 192 + STT" in lines[3]
    assert lines[4] == "[7]          (the session ended: enough)"


def test_lines_without_text() -> None:
    out = io.StringIO()
    with Conversation(stt=ScriptedRecognizer("A question.")) as conversation:
        listener = Lines(conversation.session, with_text=False, out=out)
        talk(conversation)
        listener.join(60)
    assert "question" not in out.getvalue()
    assert "sentence." not in out.getvalue()
    assert "first audio" in out.getvalue()


def test_errors_are_told() -> None:
    out, recognizer = io.StringIO(), ScriptedRecognizer()
    recognizer.error = ValueError("what was said")
    with Conversation(stt=recognizer) as conversation:
        listener = Lines(conversation.session, out=out)
        talk(conversation)
        listener.join(60)
    assert "  error: stt failed unexpectedly (ValueError)" in out.getvalue()
    assert "what was said" not in out.getvalue()


def test_every_event_is_a_line_of_json() -> None:
    out = io.StringIO()
    with Conversation() as conversation:
        listener = JsonLines(conversation.session, "7", out)
        talk(conversation)
        listener.join(60)
    events = [json.loads(line) for line in out.getvalue().splitlines()]
    assert {event["session"] for event in events} == {"7"}
    done = next(event for event in events if event["event"] == "TurnDone")
    assert done["latency"]["silence_ms"] == 192
    assert done["heard"] == "One sentence. Another sentence."


def test_an_event_that_cannot_be_encoded_costs_a_line() -> None:
    out = io.StringIO()
    with Conversation() as conversation:
        listener = JsonLines(conversation.session, "7", out)
        conversation.session.events.emit(ToolCalled(1, "call", "look", b"{}"))  # type: ignore[arg-type]
        talk(conversation)
        listener.join(60)
    first, *others = [json.loads(line) for line in out.getvalue().splitlines()]
    assert (first["session"], first["event"], first["code"]) == ("7", "ErrorEvent", "internal_error")
    assert any(event["event"] == "TurnDone" for event in others)


def test_the_latency_in_one_line() -> None:
    latency = Latency(700.2, 500, 100, 50.4, 10, 39.8)
    assert describe_latency(latency) == (
        "700 ms to the first audio = silence 500 + STT 100 + LLM 50 + TTS 10 + rest 40"
    )
