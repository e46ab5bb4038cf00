"""A connection that dies in silence: the page notices, says so, and goes on. Its clock moves as the test
says."""

import json
from typing import Any

import pytest

from testing.server import ScriptedWebServer
from tests.connections.web.browser import CHROMIUM, open_page, say, state
from tests.connections.web.tunnel import Tunnel

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

LONG = "One sentence that takes a while to say. " * 40
"""16 s, longer than any test takes."""

HEARTBEAT = """async () => {
  const { Heartbeat } = await import("/web/heartbeat.js");
  globalThis.told = [];
  globalThis.heartbeat = new Heartbeat(() => told.push("ask"), () => told.push("dead"));
}"""

CONNECTION = """async () => {
  const { Connection } = await import("/web/connection.js");
  globalThis.connection = new Connection(24000, () => "");
  globalThis.told = [];
  for (const name of ["welcome", "pong", "away"]) {
    connection.addEventListener(name, () => told.push(name));
  }
  connection.connect();
}"""
TOLD = "(times) => told.length === times"


def stop_clock(page: Any) -> None:
    page.clock.install(time="2026-01-01T10:00:00")
    page.clock.pause_at("2026-01-01T11:00:00")


@pytest.fixture
def page(browser: Any, mistakes: list[str]) -> Any:
    with ScriptedWebServer() as server:
        page = open_page(browser, server, mistakes)
        stop_clock(page)
        yield page
        page.close()


STORIES: dict[str, tuple[list[str | int], list[str]]] = {
    "talk": (["heard", 2999, "heard", 2999, "heard", 2999], []),
    "silence": (["heard", 2999, 1], ["ask"]),
    "an answer": (["heard", 3000, 4999, "heard", 2999], ["ask"]),
    "no answer": (["heard", 3000, 4999], ["ask"]),
    "no answer for too long": (["heard", 3000, 5000, 60_000], ["ask", "dead"]),
    "a connection that does not open": (["begin", 7999], []),
    "a connection that never opens": (["begin", 8000, 60_000], ["dead"]),
    "a check": (["heard", "check"], ["ask"]),
    "a check does not wait any longer": (["heard", 3000, 4999, "check", 1], ["ask", "dead"]),
    "an end": (["heard", 3000, "end", 60_000], ["ask"]),
    "a page that did not run": (["heard", -60_000, 4999], ["ask"]),
    "a page that did not run while it waited": (["heard", 3000, -60_000, 4999], ["ask", "ask"]),
    "and then nothing comes": (["heard", 3000, -60_000, 5000], ["ask", "ask", "dead"]),
}
"""Calls, milliseconds that pass, negative if the page does not run meanwhile; and what comes of them."""


@pytest.mark.parametrize("name", STORIES)
def test_silence_is_asked_about_before_it_is_taken_for_death(page: Any, name: str) -> None:
    story, outcome = STORIES[name]
    page.evaluate(HEARTBEAT)
    for step in story:
        if isinstance(step, str):
            page.evaluate(f"heartbeat.{step}()")
        elif step < 0:
            page.clock.fast_forward(-step)
        else:
            page.clock.run_for(step)
    assert page.evaluate("told") == outcome


def test_a_conversation_in_which_nobody_says_anything_stays_connected(page: Any) -> None:
    page.evaluate(CONNECTION)
    page.wait_for_function(TOLD, arg=1)
    for number in range(2, 8):
        page.clock.run_for(3000)
        page.wait_for_function(TOLD, arg=number)
    assert page.evaluate("told") == ["welcome", *["pong"] * 6]


@pytest.mark.parametrize("change", ["online", "offline", "visibilitychange"])
def test_after_a_change_of_the_network_it_does_not_wait(browser: Any, change: str) -> None:
    with ScriptedWebServer() as server:
        tunnel = Tunnel(server.port)
        page = open_page(browser, tunnel, [])
        stop_clock(page)
        with page.expect_websocket() as opened:
            page.click("#orb")
        state(page, "listening")
        event = f"document.dispatchEvent(new Event('{change}', {{ bubbles: true }}))"
        with opened.value.expect_event("framereceived", lambda frame: frame == '{"type": "pong"}'):
            page.evaluate(event)
        tunnel.shut()
        state(page, "offline")
        tunnel.lead_to(server.port)
        page.evaluate(event)
        state(page, "listening")
        assert len(server.sessions) == 1
        tunnel.close()


def until_offline(page: Any) -> None:
    """Let the time of the page pass until it has given the connection up, to which something may still
    come; it tries again more than a step later."""
    while page.get_attribute("#state", "data-state") != "offline":
        page.clock.run_for(100)


def is_place(frame: str | bytes) -> bool:
    return isinstance(frame, str) and '"type": "audio"' in frame


@pytest.mark.parametrize("hangs", [False, True], ids=["comes through", "hangs"])
def test_an_answer_goes_on_where_a_dead_connection_left_it(browser: Any, hangs: bool) -> None:
    """Nothing comes through any more, and neither side is told. The next attempt may fare no
    better."""
    heard: list[int] = []
    with ScriptedWebServer() as server:
        server.llm._replies = [LONG]
        tunnel = Tunnel(server.port)
        page = open_page(browser, tunnel, [])
        stop_clock(page)
        with page.expect_websocket() as opened:
            say(page, "Tell me all of it.")
        opened.value.on(
            "framereceived", lambda frame: heard.append(len(frame) // 2 * isinstance(frame, bytes))
        )
        state(page, "speaking")
        tunnel.lose(from_page=True)
        tunnel.lose(from_page=False)
        tunnel.swallows = hangs
        until_offline(page)
        assert page.inner_text("#hint") == "Trying again. Tap to try now."
        if hangs:
            with page.expect_websocket():
                page.click("#orb")
            tunnel.swallows = False
            page.clock.run_for(8000)
        with page.expect_websocket() as again:
            page.clock.run_for(1000)
        place = json.loads(again.value.wait_for_event("framereceived", is_place))
        assert place["turn"] == 1
        assert place["sample"] <= sum(heard), "none of it is left out"
        state(page, "speaking")
        assert len(server.sessions) == 1
        tunnel.close()
