"""The output of the listeners: plain lines, JSON, and a live screen in a real terminal."""

import io
import itertools
import json
import os
import pty
import re
import sys
import threading

import pytest
from rich.console import Console

from listeners.json_lines import JsonLines
from listeners.lines import Lines
from listeners.narration import describe_latency
from listeners.terminal import Terminal
from pipeline.events import ToolCalled
from pipeline.latency import Latency
from pipeline.settings import EndpointerSettings, SessionSettings
from testing.conversation import Conversation
from testing.duplex import DuplexConversation
from testing.fakes import ScriptedRecognizer, ScriptedTurnDetector


def talk(conversation: Conversation) -> None:
    conversation.ask()
    conversation.until_done(1)
    conversation.session.close("enough")
    conversation.session.join(10)


def test_plain_lines() -> None:
    out = io.StringIO()
    with Conversation(stt=ScriptedRecognizer("A question.")) as conversation:
        listener = Lines(conversation.session, "7", out=out)
        talk(conversation)
        listener.join(10)
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
        listener.join(10)
    assert "question" not in out.getvalue()
    assert "sentence." not in out.getvalue()
    assert "first audio" in out.getvalue()


def test_errors_are_told() -> None:
    out, recognizer = io.StringIO(), ScriptedRecognizer()
    recognizer.error = ValueError("what was said")
    with Conversation(stt=recognizer) as conversation:
        listener = Lines(conversation.session, out=out)
        talk(conversation)
        listener.join(10)
    assert "  error: stt failed unexpectedly (ValueError)" in out.getvalue()
    assert "what was said" not in out.getvalue()


def test_every_event_is_a_line_of_json() -> None:
    out = io.StringIO()
    with Conversation() as conversation:
        listener = JsonLines(conversation.session, "7", out)
        talk(conversation)
        listener.join(10)
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
        listener.join(10)
    first, *others = [json.loads(line) for line in out.getvalue().splitlines()]
    assert (first["session"], first["event"], first["code"]) == ("7", "ErrorEvent", "internal_error")
    assert any(event["event"] == "TurnDone" for event in others)


def test_the_latency_in_one_line() -> None:
    latency = Latency(700.2, 500, 100, 50.4, 10, 39.8)
    assert describe_latency(latency) == (
        "700 ms to the first audio = silence 500 + STT 100 + LLM 50 + TTS 10 + rest 40"
    )


def test_a_duplex_session_on_a_screen_shows_both_levels_and_who_speaks() -> None:
    screen = io.StringIO()
    with DuplexConversation() as conversation:
        console = Console(file=screen, force_terminal=True, width=100)
        listener = Terminal(conversation.session, console)
        conversation.say(1000, 0.2)
        conversation.session.close("enough")
        listener.join(10)
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())
    assert "thinking" not in text
    assert re.search(r"speaking +▮▮▮▮▮▮▮▮▮▯ ▮▮▮▮▮▮▮▮▮▯", text)
    assert re.search(r"listening +▮▮▮▮▮▮▮▮▮▯ ▯▯▯▯▯▯▯▯▯▯", text)
    assert "machine: 0 10" in text


def test_push_to_talk_with_a_duplex_model_on_a_screen() -> None:
    screen = io.StringIO()
    with DuplexConversation(settings=SessionSettings(hands_free=False)) as conversation:
        listener = Terminal(conversation.session, Console(file=screen, force_terminal=True, width=100))
        conversation.say(400)
        conversation.session.start_speech()
        conversation.say(400)
        conversation.session.commit_speech()
        conversation.say(400)
        conversation.session.close("enough")
        listener.join(10)
    states = re.findall("space to talk|hearing you|thinking", screen.getvalue())
    assert [state for state, _ in itertools.groupby(states)] == [
        "space to talk", "hearing you", "space to talk"
    ]  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pty")
def test_a_live_screen_shows_what_the_program_is_doing() -> None:
    ours, theirs = pty.openpty()
    shown = bytearray()

    def read() -> None:
        while True:
            try:
                shown.extend(os.read(ours, 4096))
            except OSError:
                return

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    with (
        os.fdopen(theirs, "w") as screen,
        Conversation(
            stt=ScriptedRecognizer("A question."),
            turn_detector=ScriptedTurnDetector(0.0),
            endpointing=EndpointerSettings(),
        ) as conversation,
    ):
        console = Console(file=screen, force_terminal=True, width=100)
        listener = Terminal(conversation.session, console)
        conversation.speak(500)
        conversation.wait(500)
        conversation.until_done(1)
        conversation.wait(500)
        conversation.session.close("enough")
        listener.join(10)
    reader.join(10)
    os.close(ours)
    text = shown.decode(errors="replace")
    for word in (
        "listening",
        "hearing you",
        "go on",
        "thinking",
        "speaking",
        "▮",
        "A question.",
        "One sentence.",
    ):
        assert word in text, word
    assert "first audio" in text
