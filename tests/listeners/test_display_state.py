"""The state that the screen shows: the function against the table, and the inputs from events."""

import itertools
import json
from typing import Any

import pytest

from listeners.display_state import DisplayState, display
from pipeline.capabilities import Capabilities
from pipeline.events import (
    ErrorEvent,
    Event,
    Interrupted,
    ModelAway,
    Paused,
    ReplyStarted,
    SpeechCancelled,
    SpeechEnded,
    SpeechStarted,
    TalkSignalled,
    TurnCommitted,
    TurnDone,
    TurnPending,
)
from pipeline.latency import Latency
from tests.command import ROOT

TABLE = json.loads((ROOT / "tests" / "display_states.json").read_text("utf-8"))
INPUTS = list(
    itertools.product(*(TABLE[name] for name in ("connection", "microphone", "user", "reply")))
)


@pytest.mark.parametrize("inputs", INPUTS, ids="-".join)
def test_every_combination_is_as_in_the_table(inputs: Any) -> None:
    wanted = next(
        state
        for *row, state in TABLE["rows"]
        if all(cell in ("*", value) for cell, value in zip(row, inputs, strict=True))
    )
    assert display(*inputs) == wanted


def done(turn: int, state: str = "done") -> TurnDone:
    return TurnDone(turn, state, "", "", "", Latency(), (), {})


START, END = SpeechStarted(0), SpeechEnded(16000)
ANSWERED = (START, END, TurnCommitted(1, "speech", True), ReplyStarted(1))

STORIES: dict[str, tuple[tuple[Event, ...], str]] = {
    "nothing": ((), "listening"),
    "speech": ((START,), "hearing"),
    "a pause in mid-sentence": ((START, TurnPending(True, 900.0)), "waiting"),
    "the user went on": ((START, TurnPending(True, 900.0), TurnPending(False, 0.0)), "hearing"),
    "the end of speech": ((START, END), "thinking"),
    "a cough": ((START, SpeechCancelled(0)), "listening"),
    "a guess that is taken back": ((START, done(1, "dropped")), "hearing"),
    "a guess that is replaced": (
        (START, END, done(1, "dropped"), TurnCommitted(2, "speech", True)), "thinking",
    ),
    "an utterance that was not meant": ((START, END, done(1, "dropped")), "listening"),
    "an answer": (ANSWERED, "speaking"),
    "its end": ((*ANSWERED, done(1)), "listening"),
    "an answer that failed at once": ((*ANSWERED[:3], done(1, "failed")), "listening"),
    "a held answer": ((*ANSWERED, Paused(1, True)), "waiting"),
    "a held answer that goes on": ((*ANSWERED, Paused(1, True), Paused(1, False)), "speaking"),
    "the user speaks over it": ((*ANSWERED, START, Paused(1, True)), "hearing"),
    "and stops it, still speaking": (
        (*ANSWERED, START, Paused(1, True), Interrupted(1, "", ""), done(1, "interrupted")), "hearing",
    ),
    "and has finished": (
        (*ANSWERED, START, END, Interrupted(1, "", ""), done(1, "interrupted"),
         TurnCommitted(2, "speech", True)), "thinking",
    ),
    "the end of an older turn that comes late": (
        (START, END, TurnCommitted(1, "speech", True), START, END, done(1, "dropped")), "thinking",
    ),
    "a nod during the answer": ((*ANSWERED, START, END, done(2, "dropped")), "speaking"),
    "a nod, and the end of the answer": (
        (*ANSWERED, START, END, done(2, "dropped"), done(1)), "listening",
    ),
    "a typed turn": ((TurnCommitted(1, "text", True),), "thinking"),
    "a typed turn that stops an answer": (
        (*ANSWERED, Interrupted(1, "", ""), done(1, "interrupted"), TurnCommitted(2, "text", True)),
        "thinking",
    ),
    "a typed turn while the user speaks": ((START, TurnCommitted(1, "text", True)), "hearing"),
    "the program's own turn": ((TurnCommitted(1, "program", True),), "listening"),
    "the model's server is away": ((ModelAway(True),), "offline"),
    "and is back": ((ModelAway(True), START, ModelAway(False)), "hearing"),
    "phrase by phrase": (
        (START, END, TurnCommitted(1, "speech", True), START, ReplyStarted(1), done(1)), "hearing",
    ),
}  # fmt: skip


@pytest.mark.parametrize("story", STORIES)
def test_hands_free(story: str) -> None:
    events, wanted = STORIES[story]
    state = DisplayState(Capabilities())
    for event in events:
        state.follow(event)
    assert state.name == wanted


def test_push_to_talk() -> None:
    state = DisplayState(Capabilities(), "push")
    shown = []
    for event in (
        TalkSignalled("start"), START, TalkSignalled("commit"), END, ReplyStarted(1), done(1),
        TalkSignalled("start"), TalkSignalled("cancel"), TalkSignalled("start"),
        TalkSignalled("commit"), ErrorEvent("vad", "nothing_said", ""),
    ):  # fmt: skip
        state.follow(event)
        shown.append(state.name)
    assert shown == [
        "hearing", "hearing", "thinking", "thinking", "speaking", "ready",
        "hearing", "ready", "hearing", "thinking", "ready",
    ]  # fmt: skip


def test_full_duplex_thinks_of_no_turn() -> None:
    state = DisplayState(Capabilities(duplex=True), "push")
    shown = []
    for event in (ReplyStarted(1), TalkSignalled("start"), TalkSignalled("commit")):
        state.follow(event)
        shown.append(state.name)
    state.reply = "speaking"
    assert [*shown, state.name] == ["ready", "hearing", "ready", "speaking"]


def test_a_muted_microphone_does_not_hide_an_answer() -> None:
    state = DisplayState(Capabilities(), "muted")
    shown = [state.name]
    state.follow(ReplyStarted(1))
    assert [*shown, state.name] == ["muted", "speaking"]
