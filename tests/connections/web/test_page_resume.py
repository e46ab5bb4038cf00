"""The page loaded again, or cut off, in the middle of a turn: nothing is missing, nothing doubled."""

from typing import Any

import pytest

import connections.access.client_registry
from connections.web import kept_events
from pipeline.errors import SessionBusy
from pipeline.events import (
    Event,
    NoticeGiven,
    ReplyStarted,
    SpeechEnded,
    SpeechStarted,
    TalkSignalled,
    TurnCommitted,
)
from testing.server import ScriptedWebServer
from tests.connections.web.browser import CHROMIUM, choose, open_page, say, state
from tests.connections.web.test_page_end_to_end import Talker, duplex_server
from tests.connections.web.test_page_reload import DIVIDER, GO_ON, shown
from tests.connections.web.tunnel import Tunnel
from tests.socket_clients import wait_for

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")


def typed_page(browser: Any, server: Any) -> Any:
    """A page that has had an answer to a typed text."""
    page = open_page(browser, server, [])
    say(page, "Are you there?")
    page.wait_for_selector(".machine >> text=One sentence. Another sentence.")
    state(page, "off")
    return page


SPOKEN: list[Event] = [
    SpeechStarted(16_000), TurnCommitted(9, "speech", True), ReplyStarted(9), SpeechEnded(40_000),
]  # fmt: skip
"""An answer that begins while the user speaks, by an engine that writes no words of the user's."""


@pytest.mark.parametrize("told", [1, 2, 3])
def test_speech_without_words_keeps_its_length_over_a_reload(browser: Any, told: int) -> None:
    with ScriptedWebServer() as server:
        page = typed_page(browser, server)
        events = server.sessions[0].events
        for event in SPOKEN[:told]:
            events.emit(event)
        if told < 3:
            state(page, "hearing")
        else:
            page.wait_for_selector(".you.voice.live")
        page.reload()
        page.wait_for_selector(GO_ON)
        for event in SPOKEN[told:]:
            events.emit(event)
        page.click("#orb")
        page.wait_for_selector(".you.voice >> text=1.5 s")
        assert page.locator(".you.voice").count() == 1


def test_a_reload_while_it_thinks(browser: Any) -> None:
    with ScriptedWebServer() as server:
        page = typed_page(browser, server)
        server.llm.hold.close()
        say(page, "And what else?")
        server.llm.hold.wait_until_reached()
        state(page, "thinking")
        page.reload()
        page.wait_for_selector(GO_ON)
        page.click("#orb")
        state(page, "thinking")
        server.llm.hold.open()
        page.wait_for_selector(".machine >> nth=1 >> text=One sentence. Another sentence.")
        state(page, "listening")


def test_a_hold_that_a_reload_cuts_is_taken_back(browser: Any) -> None:
    with ScriptedWebServer() as server:
        page = typed_page(browser, server)
        choose(page, "Hold to talk")
        events = server.sessions[0].events.subscribe()
        page.click("#orb")
        state(page, "ready")
        page.keyboard.down("Space")
        state(page, "hearing")
        page.reload()
        page.wait_for_selector(GO_ON)
        page.click("#orb")
        state(page, "ready")
        talk: list[str] = []
        while len(talk) < 2 and (event := events.fetch(60)) is not None:
            talk += [event.talk] if isinstance(event, TalkSignalled) else []
        assert talk == ["start", "cancel"]


def test_words_of_a_model_without_turns_stay_said_when_its_session_has_ended(
    browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections.access.client_registry, "GRACE_S", 0.0)
    with duplex_server(Talker()) as server:
        page = open_page(browser, server, [])
        page.click("#orb")
        page.wait_for_selector(".machine p >> text=word0")
        page.reload()
        page.wait_for_selector(GO_ON)
        page.click("#orb")
        page.wait_for_selector(f".divider >> text={DIVIDER}")
        assert page.locator(".machine p >> nth=0 >> del >> text=word0").count() == 0


def test_a_text_that_was_taken_before_the_reload_is_not_the_next_one(
    browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The word that the first text has begun a turn comes after the next text was sent."""
    with ScriptedWebServer() as server:
        tunnel = Tunnel(server.port)
        page = typed_page(browser, tunnel)
        tunnel.lose(from_page=False)
        say(page, "first")
        wait_for(lambda: len(server.llm.prompts) == 2, "the text to arrive")
        page.reload()
        page.wait_for_selector(GO_ON)

        def refuse(text: str) -> None:
            raise SessionBusy(f"no time for “{text}”")

        monkeypatch.setattr(server.sessions[0], "respond", refuse)
        say(page, "next")
        page.wait_for_selector(".you.unsent >> text=next")
        assert page.locator(".unsent").count() == 1
        assert [text for text in shown(page) if text == "first"] == ["first"]
        tunnel.close()


ARRIVED = """async () => {
  globalThis.WebSocket = class { static OPEN = 1; };
  const { Connection } = await import("/web/connection.js");
  const connection = new Connection(24000, () => "");
  const position = { turn: 1, sample: 96000 };
  connection.resume({ key: "mine", events: 7, position });
  return [1, 2].map((turn) => connection.arrived(turn));
}"""


def test_words_that_come_before_the_audio_of_their_turn_begin_with_it(browser: Any) -> None:
    """They come first where a whole turn was on its way; the turn before says nothing of their place."""
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [])
        assert page.evaluate(ARRIVED) == [96000, 0]


def test_a_page_that_has_missed_too_much_shows_no_turn_without_end(
    browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_events, "MAX_EVENTS", 2)
    with ScriptedWebServer() as server:
        tunnel = Tunnel(server.port)
        page = typed_page(browser, tunnel)
        server.llm.hold.close()
        say(page, "first")
        server.llm.hold.wait_until_reached()
        state(page, "thinking")
        events = server.sessions[0].events.subscribe()
        tunnel.lose(from_page=False)
        server.llm.hold.open()
        while type(events.fetch(60)).__name__ != "TurnDone":
            pass
        for text in ("a remark", "another"):
            server.sessions[0].events.emit(NoticeGiven("llm", "remark", text, 0))
        kept: Any = server.sessions[0]._sink
        wait_for(lambda: "another" in kept._kept._latest[-1], "the events to be sent")
        tunnel.cut()
        state(page, "off")
        say(page, "next")
        page.wait_for_selector(".you >> text=next")
        page.wait_for_selector(".machine >> nth=-1 >> text=One sentence. Another sentence.")
        state(page, "off")
        tunnel.close()


PLAY = """async () => {
  globalThis.sampleRate = 24000;
  globalThis.AudioWorkletProcessor = class {
    port = { postMessage: (report) => reports.push(report.position) };
  };
  globalThis.registerProcessor = (name, kind) => (globalThis.kind = kind);
  globalThis.reports = [];
  await import("/web/playback.js");
  const playback = new kind();
  playback.port.onmessage({
    data: { order: "play", turn: 1, sample: 0, pcm: new Int16Array(3000).fill(1000).buffer },
  });
  for (let n = 0; n < 60; n++) playback.process(null, [[new Float32Array(128)]]);
  return reports;
}"""


def test_the_end_of_a_reply_is_reported_as_played(browser: Any) -> None:
    """Or else the server would take the last report before it for all that was heard."""
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [])
        reports = page.evaluate(PLAY)
    assert [report and report["sample"] for report in reports] == [2432, 3000, None]
