"""An event that cannot be encoded costs that event, in every place that encodes events."""

import json
from typing import Any

import pytest

from pipeline.event_json import event_json
from pipeline.events import Event, ReplyText, ToolCalled, Transcript
from pipeline.mailbox import Mailboxes

SECRET = "the user's words"


class Secretive:
    def __repr__(self) -> str:
        return SECRET


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, Secretive(), {(1, 2): 3}])
def test_an_event_that_cannot_be_encoded(value: Any, caplog: pytest.LogCaptureFixture) -> None:
    fields = json.loads(event_json(ToolCalled(1, "call", "look", value), session="a"))
    assert (fields["session"], fields["event"], fields["code"]) == ("a", "ErrorEvent", "internal_error")
    assert "ToolCalled" in fields["text"]
    assert "ToolCalled failed: TypeError" in caplog.text
    assert SECRET not in caplog.text + str(fields)


@pytest.mark.parametrize(
    ("event", "whole"),
    [
        (Transcript(1, "half \ud83d", None), Transcript(1, "half �", None)),
        (ReplyText(1, "\ud83d\ude00"), ReplyText(1, "😀")),
        (ToolCalled(1, "c", "look", '"\ud83d"'), ToolCalled(1, "c", "look", '"�"')),
        (ReplyText(1, "plain"), ReplyText(1, "plain")),
    ],
)
def test_every_listener_gets_whole_characters(event: Event, whole: Event) -> None:
    events = Mailboxes()
    boxes = [events.subscribe(), events.subscribe()]
    events.emit(event)
    for box in boxes:
        assert box.fetch(0) == whole
    assert json.loads(event_json(whole).encode())["turn"] == 1
