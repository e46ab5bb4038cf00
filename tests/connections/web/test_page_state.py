"""The state that the page shows: a table for all combinations, and what events make of it."""

import itertools
import json
from typing import Any

import pytest

from pipeline.events import ModelAway
from testing.server import ScriptedWebServer
from tests.command import ROOT
from tests.connections.web.browser import CHROMIUM, launch, open_page, say, state

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

TABLE = json.loads((ROOT / "tests/display_states.json").read_text("utf-8"))
INPUTS = ("connection", "microphone", "user", "reply")


def wanted(inputs: tuple[str, ...]) -> str:
    """The state of the first row that matches."""
    for *row, outcome in TABLE["rows"]:
        if all(cell in ("*", value) for cell, value in zip(row, inputs, strict=True)):
            return str(outcome)
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


def event(name: str, **fields: Any) -> dict[str, Any]:
    return {"event": name, **fields}


def committed(turn: int, origin: str = "speech") -> dict[str, Any]:
    return event("TurnCommitted", turn=turn, origin=origin, answered=True)


def paused(on: bool) -> dict[str, Any]:
    return event("Paused", turn=1, paused=on)


def done(turn: int) -> dict[str, Any]:
    return event("TurnDone", turn=turn)


BEGINS, ENDS = event("SpeechStarted"), event("SpeechEnded")
PAUSES, GOES_ON = event("TurnPending", pending=True), event("TurnPending", pending=False)
ASKED = [BEGINS, ENDS, committed(1)]
ANSWERED = [*ASKED, event("ReplyStarted", turn=1)]
STORIES: dict[str, tuple[list[dict[str, Any]], str]] = {
    "a question": (ASKED, "thinking"),
    "an answer": (ANSWERED, "speaking"),
    "an answer that is over": ([*ANSWERED, done(1)], "listening"),
    "a pause": ([BEGINS, PAUSES], "waiting"),
    "the model's server is away": ([event("ModelAway", away=True)], "offline"),
    "and is back": ([event("ModelAway", away=True), event("ModelAway", away=False)], "listening"),
    "a pause that is over": ([BEGINS, PAUSES, GOES_ON], "hearing"),
    "the user speaks over the answer": ([*ANSWERED, BEGINS], "hearing"),
    "the cut turn ends while the user speaks": ([*ANSWERED, BEGINS, done(1)], "hearing"),
    "the cut turn ends after the next question": (
        [*ANSWERED, BEGINS, ENDS, committed(2), done(1)],
        "thinking",
    ),
    "an older turn ends while a newer one speaks": (
        [*ANSWERED, event("ReplyStarted", turn=2), done(1)],
        "speaking",
    ),
    "a nod: speech that is no turn": ([*ANSWERED, BEGINS, ENDS, done(2)], "speaking"),
    "the answer is held": ([*ANSWERED, paused(True)], "waiting"),
    "the answer goes on": ([*ANSWERED, paused(True), paused(False)], "speaking"),
    "speech taken back": ([BEGINS, event("SpeechCancelled")], "listening"),
    "noise": ([BEGINS, ENDS, done(1)], "listening"),
    "a guess that is replaced at the end": ([BEGINS, ENDS, done(1), committed(2)], "thinking"),
    "typed": ([committed(1, "text")], "thinking"),
    "an answer that is over before the speech is": (
        [BEGINS, committed(1), event("ReplyStarted", turn=1), done(1), ENDS],
        "listening",
    ),
}


@pytest.fixture(scope="module")
def states(chromium: Any) -> list[str]:
    """What is shown at the end of each story."""
    browser = launch(chromium, ["--no-sandbox"])
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [])
        shown: list[str] = page.evaluate(
            """async (stories) => {
              const { Situation } = await import("/web/state.js");
              return stories.map((events) => {
                const now = new Situation();
                Object.assign(now, { connection: "open", microphone: "on" });
                for (const event of events) now.follow(event);
                return now.state;
              });
            }""",
            [events for events, _ in STORIES.values()],
        )
    browser.close()
    return shown


@pytest.mark.parametrize("number", range(len(STORIES)), ids=list(STORIES))
def test_events_lead_to_the_state(states: list[str], number: int) -> None:
    assert states[number] == [*STORIES.values()][number][1]


@pytest.mark.parametrize("microphone", ["muted", "push", "off"])
def test_neither_mute_nor_the_mode_hides_that_it_speaks(microphone: str) -> None:
    assert wanted(("open", microphone, "silent", "speaking")) == "speaking"


REFUSED = {
    "state": "dropped",
    "reason": "said over the reply, and no turn",
    "user_text": "",
    "heard": "",
}


@pytest.mark.parametrize(
    ("said", "stays"),
    [("The store closes at eight.", True), ("Mhm, yes.", False)],
    ids=["words", "a nod"],
)
def test_words_that_get_no_answer_stay_until_the_next(browser: Any, said: str, stays: bool) -> None:
    events = [
        event("PartialTranscript", text=said, stable_chars=4),
        {**done(2), **REFUSED},
        event("PartialTranscript", text="And now?", stable_chars=3),
    ]
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [])
        first, refused, then = page.evaluate(
            """async (events) => {
              const { Transcript } = await import("/web/transcript.js");
              const { Messages } = await import("/web/messages.js");
              const list = document.createElement("ol");
              const page = { transcript: new Transcript(list), details: { turnDone() {} } };
              const messages = new Messages(page);
              return events.map((event) => {
                messages.event(event);
                return [...list.children].map((item) => item.lastChild.textContent);
              });
            }""",
            events,
        )
    assert first == [said]
    assert refused == (["Not taken as meant for me. Say it again, and I answer."] if stays else [])
    assert then == ["And now?"]


def test_a_model_that_is_away_is_said_plainly_and_after_a_reload_too(browser: Any) -> None:
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [])
        say(page, "Are you there?")
        page.wait_for_selector(".machine >> text=One sentence. Another sentence.")
        events = server.sessions[0].events
        events.emit(ModelAway(True))
        page.wait_for_selector("#word >> text=Model offline")
        assert "it hears nothing" in page.inner_text("#hint")
        assert page.title() == "Model offline · Speech to speech"
        page.reload()
        page.click("#orb")
        page.wait_for_selector("#word >> text=Model offline")
        state(page, "offline")
        events.emit(ModelAway(False))
        page.wait_for_selector("#word:not(:text('Model offline'))")
        assert len(server.sessions) == 1
