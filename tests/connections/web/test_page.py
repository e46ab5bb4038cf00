"""The page in a real browser, with a spoken file as its microphone."""

import contextlib
import socket
import threading
import time
from typing import Any

import pytest

from testing.server import ScriptedWebServer
from tests.connections.web.browser import (
    CHROMIUM,
    FLAGS,
    PATIENCE_MS,
    QUESTION,
    figure,
    open_page,
    state,
)
from tests.socket_clients import wait_for
from VAD.silero import SileroDetector

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

LONG = "One sentence that takes a while to say. " * 20


def test_it_hears_answers_and_plays_all_of_it(browser: Any) -> None:
    mistakes: list[str] = []
    with ScriptedWebServer(vad=SileroDetector()) as server:
        page = open_page(browser, server, mistakes)
        page.click("#talk")
        page.wait_for_selector(".you >> text=words")
        page.wait_for_selector(".machine >> text=One sentence. Another sentence.")
        page.wait_for_selector("#latency li")
        state(page, "listening")
        page.click("#debug summary")
        page.wait_for_selector("#figures dd")
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not figure(page, "packets received") == figure(page, "packets played") > 0:
            assert time.monotonic() < deadline, page.inner_text("#figures")
            page.wait_for_timeout(100)
        page.click("#talk")
        state(page, "off")
    assert mistakes == []


def test_speech_over_the_answer_cuts_it_and_shows_what_was_not_heard(browser: Any) -> None:
    mistakes: list[str] = []
    with ScriptedWebServer(vad=SileroDetector()) as server:
        server.stt._texts = [QUESTION] * 100
        server.llm._replies = [LONG]
        page = open_page(browser, server, mistakes)
        page.click("#talk")
        page.wait_for_selector(".machine del")
        heard = page.inner_text(".machine").removesuffix(page.inner_text(".machine del"))
        assert LONG.startswith(heard.strip())
    assert mistakes == []


class Tunnel:
    """A proxy between the page and the server, which can cut a connection and accepts the next one."""

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near = self._listening.accept()[0]
                far = socket.create_connection(("127.0.0.1", self._server_port))
                self._ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    @staticmethod
    def _carry(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(1 << 16):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        one.close()


def test_a_connection_that_drops_comes_back_with_the_same_conversation(browser: Any) -> None:
    with ScriptedWebServer(vad=SileroDetector()) as server:
        tunnel = Tunnel(server.port)
        page = open_page(browser, tunnel, [])
        page.click("#talk")
        page.wait_for_selector(".machine")
        tunnel.cut()
        state(page, "away")
        page.wait_for_selector("#trouble[hidden]", state="attached")
        page.wait_for_selector(".machine >> nth=1")
        page.click("#debug summary")
        page.wait_for_selector("#figures dd")
        assert figure(page, "reconnected") == 1
        assert len(server.sessions) == 1
        tunnel.close()


def test_push_to_talk_and_typing(browser: Any) -> None:
    mistakes: list[str] = []
    with ScriptedWebServer(vad=SileroDetector()) as server:
        page = open_page(browser, server, mistakes)
        page.click("#talk")
        state(page, "listening")
        page.click("details:not(#debug) summary")
        page.select_option("#hands", "push")
        state(page, "ready")
        page.fill("#text", "typed words")
        page.click("#typed button")
        page.wait_for_selector(".machine")
        page.focus("#hold")
        page.locator("body").click(position={"x": 5, "y": 5})
        page.keyboard.down("Space")
        page.wait_for_timeout(7500)  # for one round of the fake microphone, which nobody can hurry
        page.keyboard.up("Space")
        page.wait_for_selector(".you >> text=words >> nth=1")
    assert mistakes == []
    assert server.llm.prompts[0][-1].content == "typed words"


def test_a_microphone_that_is_refused(chromium: Any) -> None:
    refusing = chromium.launch(
        executable_path=CHROMIUM, headless=True, args=[*FLAGS, "--deny-permission-prompts"]
    )
    with ScriptedWebServer() as server:
        page = open_page(refusing, server, [])
        page.click("#talk")
        page.wait_for_selector("#trouble >> text=microphone")
        state(page, "off")
        assert page.is_enabled("#talk")
    refusing.close()


def test_a_token_in_the_link(browser: Any) -> None:
    with ScriptedWebServer(token="sesame") as server:
        page = open_page(browser, server, [])
        page.click("#talk")
        page.wait_for_selector("#trouble >> text=token")
        page.goto(f"http://127.0.0.1:{server.port}/web/#token=sesame")
        page.reload()
        page.click("#talk")
        state(page, "listening")


def test_the_voices_are_offered_and_others_refused(browser: Any) -> None:
    mistakes: list[str] = []
    with ScriptedWebServer(token="sesame") as server:
        page = open_page(browser, server, mistakes)
        page.click("details:not(#debug) summary")
        page.fill("#token", "sesame")
        page.click("#talk")
        state(page, "listening")
        page.wait_for_selector("#voices option", state="attached")
        offered = page.eval_on_selector_all("#voices option", "(all) => all.map((one) => one.value)")
        assert offered == ["low", "high"]
        page.get_by_label("Voice").fill("nobody")
        page.keyboard.press("Tab")
        page.wait_for_selector("#voice-trouble >> text=expected one of the voices low, high")
        page.wait_for_selector("#voice[aria-invalid=true]")
        page.select_option("#hands", "push")
        state(page, "ready")
        page.get_by_label("Voice").fill("high")
        page.keyboard.press("Tab")
        page.wait_for_selector("#voice[aria-invalid=false]")
        assert page.inner_text("#voice-trouble") == ""
        wait_for(lambda: server.sessions[0].settings.voice == "high", "the voice to be chosen")
        assert not server.sessions[0].settings.hands_free
    assert mistakes == []


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
