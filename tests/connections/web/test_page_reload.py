"""The page loaded again in mid-conversation, copies of its tab, and servers that go and come back."""

from typing import Any

import pytest

import connections.access.client_registry
from testing.server import ScriptedWebServer
from tests.connections.web.browser import CHROMIUM, open_page, say, state
from tests.connections.web.panels import open_panels
from tests.connections.web.tunnel import Tunnel

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

REPLY = "A sentence of seven words, or so. " * 6
HEARD = "() => document.querySelector('.machine p')?.firstChild.textContent.length > 3"
GO_ON = "#word >> text=Tap to go on"
DIVIDER = "New conversation: earlier turns are not remembered"


def shown(page: Any) -> list[str]:
    """The turns and remarks as their texts, without the names for screen readers."""
    texts: list[str] = page.eval_on_selector_all(
        "#transcript li",
        """(all) => all.map((one) => {
          const copy = one.cloneNode(true);
          copy.querySelector(".sr")?.remove();
          return copy.textContent;
        })""",
    )
    return texts


@pytest.mark.parametrize("typed", [False, True], ids=["tap", "typed"])
def test_an_answer_goes_on_after_a_reload(browser: Any, typed: bool) -> None:
    mistakes: list[str] = []
    with ScriptedWebServer() as server:
        server.llm._replies = [REPLY, "And more."]
        page = open_page(browser, server, mistakes)
        say(page, "Tell me.")
        page.wait_for_function(HEARD)
        page.reload()
        page.wait_for_selector(GO_ON)
        assert shown(page)[0] == "Tell me."
        assert REPLY.startswith(shown(page)[1])
        if typed:
            say(page, "Go on.")
            page.wait_for_selector(".machine >> text=And more.")
        else:
            page.click("#orb")
            page.wait_for_selector(f".machine >> text={REPLY.strip()}")
            state(page, "listening")
        assert page.locator(".divider").count() == 0
        assert len(server.sessions) == 1
    assert mistakes == []


def test_marks_outlive_a_reload(browser: Any) -> None:
    with ScriptedWebServer() as server:
        server.llm._replies = ["word " * 400, "One sentence. " * 9]
        page = open_page(browser, server, [])
        say(page, "Tell me.")
        state(page, "speaking")
        page.keyboard.press("Escape")
        page.wait_for_selector(".machine .cut >> text=words not heard")
        server.llm.error_after_words = (6, RuntimeError("its fuse has blown"))
        say(page, "And more.")
        page.wait_for_selector(".machine.failed >> text=One sentence.")
        page.wait_for_selector(".note.failed")
        before = page.inner_html("#transcript")
        page.reload()
        page.wait_for_selector(GO_ON)
        assert page.inner_html("#transcript") == before
        page.click(".machine .cut")
        assert page.is_visible(".machine del")


def test_a_reload_after_the_session_has_ended(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections.access.client_registry, "GRACE_S", 0.0)
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [])
        say(page, "Are you there?")
        page.wait_for_selector(".machine >> text=One sentence. Another sentence.")
        page.reload()
        page.wait_for_selector(GO_ON)
        say(page, "And now?")
        page.wait_for_selector(".divider ~ .machine >> text=One sentence.")
        texts = shown(page)
        assert texts.index(DIVIDER) < texts.index("And now?")
        assert page.is_hidden("#trouble")
        assert len(server.sessions) == 2


def test_a_copy_of_the_tab_leaves_the_session_alone(browser: Any) -> None:
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [])
        say(page, "Remember me.")
        page.wait_for_selector(".machine >> text=One sentence. Another sentence.")
        page.reload()
        page.wait_for_selector(GO_ON)
        with page.expect_popup() as opened:  # its storage is a copy of this tab's
            page.evaluate("() => { open('/'); }")
        copy = opened.value
        copy.wait_for_selector("#word >> text=Tap to talk")
        assert copy.locator("#transcript li").count() == 0
        say(copy, "Do you remember me?")
        copy.wait_for_selector(".machine >> text=One sentence.")
        say(page, "And me?")
        page.wait_for_selector(".machine >> nth=1")
        assert page.locator(".divider").count() == 0
        assert len(server.sessions) == 2


@pytest.mark.parametrize("way", ["end", "clear"])
def test_what_is_ended_or_cleared_does_not_come_back(browser: Any, way: str) -> None:
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [])
        say(page, "Forget me.")
        page.wait_for_selector(".machine >> text=One sentence. Another sentence.")
        page.reload()
        page.wait_for_selector(GO_ON)
        if way == "end":
            page.click("#orb")
            state(page, "listening")
            page.click("#end")
        else:
            page.click("#clear")
            page.click("#clearing >> text=Clear >> nth=-1")
        page.wait_for_selector("#word >> text=Tap to talk")
        page.reload()
        page.wait_for_selector("#word >> text=Tap to talk")
        assert page.locator("#transcript li").count() == 0
        page.click("#orb")
        state(page, "listening")
        assert len(server.sessions) == 2


def test_a_long_conversation_is_kept_in_part(browser: Any) -> None:
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [])
        size, newest = page.evaluate(
            """async () => {
              const { leaveKeepsake, takeKeepsake } = await import("/web/keepsake.js");
              const items = Array.from({ length: 1000 }, (_, n) => ({ n, text: "word ".repeat(1000) }));
              leaveKeepsake({ call: {}, shown: { items } });
              const size = sessionStorage.getItem("s2s.conversation").length;
              return [size, takeKeepsake().shown.items.at(-1).n];
            }"""
        )
    assert 100_000 < size <= 500_000
    assert newest == 999


def test_a_server_that_was_restarted_has_forgotten_the_conversation(browser: Any) -> None:
    with ScriptedWebServer() as first, ScriptedWebServer() as second:
        tunnel = Tunnel(first.port)
        page = open_page(browser, tunnel, [])
        say(page, "Are you there?")
        page.wait_for_selector(".machine >> text=One sentence. Another sentence.")
        tunnel.shut()
        state(page, "offline")
        tunnel.lead_to(second.port)
        page.wait_for_selector(".note >> text=The server has forgotten the conversation")
        page.wait_for_selector(f".divider >> text={DIVIDER}")
        state(page, "off")
        assert page.is_visible("#end"), "it is connected"
        assert page.is_hidden("#trouble")
        say(page, "And now?")
        page.wait_for_selector(".divider ~ .machine >> text=One sentence.")
        assert len(second.sessions) == 1
        tunnel.close()


def test_a_server_that_is_back(browser: Any) -> None:
    with ScriptedWebServer() as server, ScriptedWebServer() as other:
        tunnel = Tunnel(server.port)
        page = open_page(browser, tunnel, [])
        say(page, "Are you there?")
        page.wait_for_selector(".machine >> text=One sentence. Another sentence.")
        server.stop()
        page.wait_for_selector("#trouble >> text=The server was shut down")
        tunnel.lead_to(other.port)
        page.wait_for_selector("#trouble >> text=The server is back")
        page.click("#trouble >> text=Talk again")
        page.wait_for_selector(f".divider >> text={DIVIDER}")
        state(page, "listening")
        assert len(other.sessions) == 1
        tunnel.close()


def test_nothing_is_lost_while_the_page_loads(browser: Any) -> None:
    with ScriptedWebServer() as server:
        page = browser.new_page()
        late: list[Any] = []
        page.route("**/sound.js", lambda route: late.append(route))
        with page.expect_request("**/sound.js"):
            page.goto(f"http://127.0.0.1:{server.port}/", wait_until="commit")
        page.wait_for_selector("#word >> text=Loading…")
        page.focus("#text")
        page.keyboard.type("Too early")
        page.keyboard.press("Enter")
        assert page.input_value("#text") == ""
        late.pop().continue_()
        page.wait_for_selector("#word >> text=Tap to talk")
        say(page, "In time.")
        page.wait_for_selector(".machine >> text=One sentence.")
        assert shown(page)[0] == "In time."


WATCH = """async () => {
  const { Comeback } = await import("/web/comeback.js");
  window.found = 0;
  new Comeback().watch(document.getElementById("opener"), () => { found += 1; });
}"""
SHOW = """(shown) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => !shown });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_a_hidden_tab_does_not_ask_whether_the_server_is_back(browser: Any) -> None:
    with ScriptedWebServer() as server:
        page = open_panels(browser, server, [])
        page.goto(f"http://127.0.0.1:{server.port}/panels")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.clock.install()
        page.evaluate(WATCH)
        page.evaluate(SHOW, False)
        page.clock.run_for(60_000)
        assert not [url for url in asked if url.endswith("/health")]
        page.evaluate(SHOW, True)
        page.clock.run_for(1000)
        page.wait_for_function("() => found === 1")
        page.clock.run_for(60_000)
        assert len([url for url in asked if url.endswith("/health")]) == 1
