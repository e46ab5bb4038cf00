"""The state that the page shows: a table for all combinations, and what the events of a session make of it."""

import itertools
import json
from typing import Any

import pytest

from testing.server import ScriptedWebServer
from tests.command import ROOT
from tests.connections.web.browser import CHROMIUM, open_page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

TABLE = json.loads((ROOT / "tests/display_states.json").read_text("utf-8"))
INPUTS = ("connection", "microphone", "user", "reply")


def wanted(inputs: tuple[str, ...]) -> str:
    """The state of the first row that matches."""
    for *row, state in TABLE["rows"]:
        if all(cell in ("*", value) for cell, value in zip(row, inputs, strict=True)):
            return str(state)
    raise AssertionError(f"expected a row for {inputs}")


def test_every_combination_shows_what_the_table_says(browser: Any) -> None:
    combinations = list(itertools.product(*(TABLE[name] for name in INPUTS)))
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [])
        shown, words = page.evaluate(
            """async (combinations) => {
              const { display, WORDS } = await import("/web/state.js");
              return [combinations.map((inputs) => display(...inputs)), WORDS];
            }""",
            combinations,
        )
    assert shown == [wanted(inputs) for inputs in combinations]
    assert set(words) == set(TABLE["states"])


SPOKEN = [
    ("SpeechStarted", {}),
    ("SpeechEnded", {}),
    ("TurnCommitted", {"turn": 1, "origin": "speech", "answered": True}),
]
ANSWERED = [*SPOKEN, ("ReplyStarted", {"turn": 1})]
STORIES: list[tuple[str, list[tuple[str, dict[str, Any]]], str]] = [
    ("a question", SPOKEN, "thinking"),
    ("an answer", ANSWERED, "speaking"),
    ("an answer that is over", [*ANSWERED, ("TurnDone", {"turn": 1})], "listening"),
    ("a pause", [SPOKEN[0], ("TurnPending", {"pending": True})], "waiting"),
    ("a pause that is over", [SPOKEN[0], ("TurnPending", {"pending": True}), ("TurnPending", {"pending": False})], "hearing"),
    ("the user speaks over the answer", [*ANSWERED, ("SpeechStarted", {})], "hearing"),
    ("the cut turn ends while the user speaks", [*ANSWERED, ("SpeechStarted", {}), ("TurnDone", {"turn": 1})], "hearing"),
    (
        "the cut turn ends after the next question",
        [*ANSWERED, *SPOKEN[:2], ("TurnCommitted", {"turn": 2, "origin": "speech", "answered": True}), ("TurnDone", {"turn": 1})],
        "thinking",
    ),
    ("an older turn ends while a newer one speaks", [*ANSWERED, ("ReplyStarted", {"turn": 2}), ("TurnDone", {"turn": 1})], "speaking"),
    ("a nod: speech that is no turn", [*ANSWERED, *SPOKEN[:2], ("TurnDone", {"turn": 2})], "speaking"),
    ("the answer is held", [*ANSWERED, ("Paused", {"turn": 1, "paused": True})], "waiting"),
    ("the answer goes on", [*ANSWERED, ("Paused", {"turn": 1, "paused": True}), ("Paused", {"turn": 1, "paused": False})], "speaking"),
    ("speech taken back", [SPOKEN[0], ("SpeechCancelled", {})], "listening"),
    ("noise", [*SPOKEN[:2], ("TurnDone", {"turn": 1})], "listening"),
    ("typed", [("TurnCommitted", {"turn": 1, "origin": "text", "answered": True})], "thinking"),
    (
        "an answer that is over before the speech is",
        [SPOKEN[0], SPOKEN[2], ("ReplyStarted", {"turn": 1}), ("TurnDone", {"turn": 1}), SPOKEN[1]],
        "listening",
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def states(chromium: Any) -> list[str]:
    """What is shown at the end of each story."""
    browser = chromium.launch(executable_path=CHROMIUM, headless=True, args=["--no-sandbox"])
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [])
        shown: list[str] = page.evaluate(
            """async (stories) => {
              const { Situation } = await import("/web/state.js");
              return stories.map((events) => {
                const now = new Situation();
                Object.assign(now, { connection: "open", microphone: "on" });
                for (const [event, fields] of events) now.follow({ event, ...fields });
                return now.state;
              });
            }""",
            [events for _, events, _ in STORIES],
        )
    browser.close()
    return shown


@pytest.mark.parametrize(("number", "story"), [*enumerate(STORIES)], ids=[name for name, *_ in STORIES])
def test_events_lead_to_the_state(states: list[str], number: int, story: tuple[str, Any, str]) -> None:
    assert states[number] == story[2]


@pytest.mark.parametrize("microphone", ["muted", "push", "off"])
def test_neither_mute_nor_the_mode_hides_that_it_speaks(microphone: str) -> None:
    assert wanted(("open", microphone, "silent", "speaking")) == "speaking"
