"""The page in a real browser, with a spoken file as its microphone."""

import time
from typing import Any

import pytest

import connections.access.client_registry
from pipeline.events import SpeechStarted
from testing.server import ScriptedWebServer
from tests.connections.web.browser import (
    CHROMIUM,
    FLAGS,
    PATIENCE_MS,
    QUESTION,
    choose,
    figure,
    launch,
    open_page,
    say,
    state,
)
from tests.connections.web.tunnel import Tunnel
from tests.web_client import WebClient
from VAD.silero import SileroDetector

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

LONG = "One sentence that takes a while to say. " * 50
"""20 s, longer than any test takes to interrupt it."""


def test_it_hears_answers_and_plays_all_of_it(browser: Any) -> None:
    mistakes: list[str] = []
    with ScriptedWebServer(vad=SileroDetector()) as server:
        page = open_page(browser, server, mistakes, asks=True)
        page.click("#orb")
        page.wait_for_selector(".you >> text=words")
        page.wait_for_selector(".machine >> text=One sentence. Another sentence.")
        state(page, "listening")
        page.click("#show-details")
        page.wait_for_selector(".waterfall li")
        page.wait_for_selector("#figures dd")
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not figure(page, "packets received") == figure(page, "packets played") > 0:
            assert time.monotonic() < deadline, page.inner_text("#figures")
            page.wait_for_timeout(100)
        page.click("#end")
        state(page, "off")
    assert mistakes == []


def test_speech_over_the_answer_cuts_it_and_shows_what_was_not_heard(browser: Any) -> None:
    mistakes: list[str] = []
    with ScriptedWebServer(vad=SileroDetector()) as server:
        server.stt._texts = [QUESTION] * 100
        server.llm._replies = [LONG]
        page = open_page(browser, server, mistakes, asks=True)
        page.click("#orb")
        page.wait_for_selector(".machine del", state="attached")
        said = str(page.text_content(".machine p"))
        heard = said.removesuffix(str(page.text_content(".machine del")))
        assert len(heard) < len(said)
        assert LONG.startswith(heard.strip())
    assert mistakes == []


def test_a_connection_that_drops_comes_back_with_the_same_conversation(browser: Any) -> None:
    with ScriptedWebServer(vad=SileroDetector()) as server:
        tunnel = Tunnel(server.port)
        page = open_page(browser, tunnel, [], asks=True)
        page.click("#orb")
        page.wait_for_selector(".machine")
        tunnel.shut()
        state(page, "offline")
        tunnel.lead_to(server.port)
        page.wait_for_selector(".machine >> nth=1")
        assert page.locator(".divider").count() == 0
        page.click("#show-details")
        page.wait_for_selector("#figures dd")
        assert figure(page, "reconnected") == 1
        assert len(server.sessions) == 1
        tunnel.close()


def test_a_conversation_that_the_server_no_longer_has_is_divided_from_the_next(
    browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections.access.client_registry, "GRACE_S", 0.0)
    with ScriptedWebServer() as server:
        tunnel = Tunnel(server.port)
        page = open_page(browser, tunnel, [])
        say(page, "Are you there?")
        page.wait_for_selector(".machine >> text=One sentence. Another sentence.")
        tunnel.cut()
        page.wait_for_selector(".divider >> text=earlier turns are not remembered")
        say(page, "And now?")
        page.wait_for_selector(".divider ~ .machine >> text=One sentence.")
        assert page.locator(".divider").count() == 1
        tunnel.close()


def speak(page: Any, server: ScriptedWebServer) -> None:
    """Make the microphone loud until the server has heard it, for longer than a tap takes."""
    mail = server.sessions[-1].events.subscribe()
    page.evaluate("loudness.value = 0.5")
    while not isinstance(mail.fetch(PATIENCE_MS / 1000), SpeechStarted):
        pass
    page.wait_for_timeout(400)
    page.evaluate("loudness.value = 0.01")


def test_hold_to_talk(browser: Any) -> None:
    mistakes: list[str] = []
    with ScriptedWebServer() as server:
        page = open_page(browser, server, mistakes)
        choose(page, "Hold to talk")
        page.click("#orb")
        state(page, "ready")
        page.keyboard.down("Space")
        state(page, "hearing")
        speak(page, server)
        page.keyboard.up("Space")
        page.wait_for_selector(".you >> text=words")
        state(page, "ready")
        page.hover("#orb")
        page.mouse.down()
        state(page, "hearing")
        page.mouse.move(5, 5)
        state(page, "hearing")
        page.keyboard.press("Escape")
        state(page, "ready")
        page.mouse.up()
        page.mouse.down()
        state(page, "ready")
    assert mistakes == []
    assert len(server.llm.prompts) == 1


def test_a_hold_that_ends_while_the_connection_is_lost_is_answered(browser: Any) -> None:
    with ScriptedWebServer() as server:
        tunnel = Tunnel(server.port)
        page = open_page(browser, tunnel, [])
        choose(page, "Hold to talk")
        page.click("#orb")
        state(page, "ready")
        page.keyboard.down("Space")
        state(page, "hearing")
        speak(page, server)
        tunnel.shut()
        state(page, "offline")
        page.keyboard.up("Space")
        tunnel.lead_to(server.port)
        page.wait_for_selector(".you >> text=words")
        state(page, "ready")
        tunnel.close()


def test_a_tap_on_the_button_while_it_speaks_interrupts(browser: Any) -> None:
    with ScriptedWebServer() as server:
        server.llm._replies = [LONG]
        page = open_page(browser, server, [])
        say(page, "Tell me all of it.")
        state(page, "speaking")
        page.click("#orb")
        page.wait_for_selector(".machine del", state="attached")
        state(page, "off")
        assert page.is_visible("#end"), "the conversation goes on"


def test_a_microphone_that_is_refused(chromium: Any) -> None:
    refusing = launch(chromium, [*FLAGS, "--deny-permission-prompts"])
    with ScriptedWebServer() as server:
        page = open_page(refusing, server, [], asks=True)
        page.click("#orb")
        page.wait_for_selector("#trouble >> text=The microphone is blocked")
        state(page, "off")
        page.click("#trouble button >> text=Type instead")
        assert page.evaluate("document.activeElement.id") == "text"
        say(page, "Then I type.")
        page.wait_for_selector(".machine >> text=One sentence.")
        page.wait_for_selector("#trouble >> text=microphone", state="hidden")
    refusing.close()


def test_the_microphone_and_the_loudspeaker_that_were_chosen(browser: Any) -> None:
    """The browser keeps the choice; one that is not plugged in is told, and is not replaced silently."""
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [], asks=True)
        page.evaluate(
            """() => localStorage.setItem("s2s.settings", JSON.stringify(
              { microphone: "not-there", loudspeaker: "nor-that" }))"""
        )
        page.reload()
        page.click("#orb")
        page.wait_for_selector("#trouble >> text=The microphone is not plugged in")
        state(page, "off")
        say(page, "I can type.")
        page.wait_for_selector("#trouble >> text=The loudspeaker is not plugged in")
        page.wait_for_selector(".machine >> text=One sentence.")
        assert "The loudspeaker is not plugged in" in page.inner_text("#trouble")
        devices = page.evaluate(
            """async () => (await navigator.mediaDevices.enumerateDevices())
              .filter(({ kind, deviceId }) => kind === "audioinput" && deviceId !== "default")
              .map(({ deviceId }) => deviceId)"""
        )
        page.evaluate(
            "(microphone) => localStorage.setItem('s2s.settings', JSON.stringify({ microphone }))",
            devices[-1],
        )
        page.reload()
        page.evaluate(
            """() => {
              const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
              navigator.mediaDevices.getUserMedia = (wanted) => {
                window.wanted = wanted.audio.deviceId.exact;
                return ask(wanted);
              };
            }"""
        )
        page.click("#orb")
        state(page, "listening")
        assert page.evaluate("wanted") == devices[-1]


def test_a_page_that_may_use_no_sound_says_why(chromium: Any) -> None:
    flags = [*FLAGS, "--host-resolver-rules=MAP talk.example 127.0.0.1"]
    browser = launch(chromium, flags)
    with ScriptedWebServer(token="sesame") as server:
        page = open_page(browser, server, [], asks=True)
        page.goto(f"http://talk.example:{server.port}/web/#token=sesame")
        page.click("#orb")
        page.wait_for_selector("#trouble >> text=only over HTTPS, or on localhost")
        state(page, "off")
        say(page, "And typed?")
        page.wait_for_selector(".unsent >> text=Not sent")
    browser.close()


def test_a_server_that_is_shut_down(browser: Any) -> None:
    with ScriptedWebServer() as server, ScriptedWebServer() as other:
        tunnel = Tunnel(server.port)
        page = open_page(browser, tunnel, [])
        say(page, "Are you there?")
        page.wait_for_selector(".machine >> text=One sentence. Another sentence.")
        server.stop()
        page.wait_for_selector("#trouble >> text=The server was shut down")
        state(page, "off")
        page.click("#trouble >> text=Talk again")
        page.wait_for_selector("#trouble >> text=The server cannot be reached")
        say(page, "Still there?")
        page.wait_for_selector(".unsent >> text=Not sent")
        state(page, "off")
        tunnel.lead_to(other.port)
        page.wait_for_selector("#trouble >> text=The server is back")
        page.click("#trouble >> text=Talk again")
        page.wait_for_selector(".divider >> text=earlier turns are not remembered")
        state(page, "listening")
        assert len(other.sessions) == 1
        tunnel.close()


def test_a_server_that_is_full(browser: Any) -> None:
    with ScriptedWebServer(max_sessions=1) as server, WebClient(server.port) as client:
        client.until("welcome")
        page = open_page(browser, server, [])
        page.click("#orb")
        page.wait_for_selector("#trouble >> text=The server is full")
        state(page, "connecting")
        page.click("#trouble >> text=Stop trying")
        state(page, "off")
        page.click("#orb")
        page.wait_for_selector("#trouble >> text=The server is full")
        client.close()
        state(page, "listening")


def test_the_page_may_talk_to_its_own_server_only(browser: Any) -> None:
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [])
        with ScriptedWebServer(allow_origins=f"http://127.0.0.1:{server.port}") as other:
            outcome = page.evaluate(
                """(url) => new Promise((done) => {
                  addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective));
                  new WebSocket(url).onopen = () => done("open");
                })""",
                f"ws://127.0.0.1:{other.port}/ws",
            )
        assert outcome == "connect-src"
