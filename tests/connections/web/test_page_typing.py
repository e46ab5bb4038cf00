"""Typing on the page: before connecting, offline, and over a reply; what was cut; the keys."""

from typing import Any

import pytest

import connections.access.client_registry
from testing.server import ScriptedWebServer
from tests.connections.web.browser import CHROMIUM, open_page, say, state
from tests.connections.web.tunnel import Tunnel
from tests.socket_clients import wait_for

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

COUNT_MICROPHONES = """() => {
  window.asked = 0;
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wanted) => { asked += 1; return ask(wanted); };
}"""

WORDS = "word " * 400
"""20 s, longer than any test takes to interrupt it."""

HEARD = "() => document.querySelector('.machine p')?.firstChild.textContent.length > 30"
"""Several words are lit: of those, the server remembers all but the last ones."""


RECORD_WORDS = """() => {
  window.shown = [];
  const look = new MutationObserver(() => {
    const words = document.querySelector(".machine p");
    const rest = words?.querySelector(".rest")?.textContent.length ?? 0;
    if (words?.textContent) shown.push({ rest, heard: words.textContent.length - rest });
  });
  const all = { childList: true, subtree: true, characterData: true };
  look.observe(document.getElementById("transcript"), all);
}"""


def test_typing_before_connecting_asks_for_no_microphone(browser: Any) -> None:
    mistakes: list[str] = []
    with ScriptedWebServer() as server:
        page = open_page(browser, server, mistakes)
        page.evaluate(COUNT_MICROPHONES)
        say(page, "typed words")
        page.wait_for_selector(".machine >> text=One sentence. Another sentence.")
        assert page.evaluate("asked") == 0
        state(page, "off")
        page.click("#orb")
        state(page, "listening")
        assert page.evaluate("asked") == 1
        assert len(server.sessions) == 1, "the microphone joins the same conversation"
    assert server.llm.prompts[0][-1].content == "typed words"
    assert mistakes == []


def test_text_typed_while_offline_is_kept_and_sent_again(browser: Any) -> None:
    with ScriptedWebServer() as server:
        tunnel = Tunnel(server.port)
        page = open_page(browser, tunnel, [])
        say(page, "first")
        page.wait_for_selector(".machine >> text=One sentence. Another sentence.")
        state(page, "off")  # or else nothing of the answer may have been heard
        tunnel.shut()
        state(page, "offline")
        say(page, "second")
        page.wait_for_selector(".unsent >> text=Not sent")
        tunnel.lead_to(server.port)
        page.click(".unsent >> text=Retry")
        wait_for(lambda: len(server.llm.prompts) == 2, "the text to arrive")
        page.wait_for_selector(".unsent", state="detached")
        assert server.llm.prompts[1][-1].content == "second"
        tunnel.close()


@pytest.mark.parametrize("way", ["cut", "reload"])
@pytest.mark.parametrize("came", [True, False], ids=["it came", "it did not"])
def test_a_text_is_sent_once_where_the_connection_breaks(browser: Any, came: bool, way: str) -> None:
    with ScriptedWebServer() as server:
        tunnel = Tunnel(server.port)
        page = open_page(browser, tunnel, [])
        say(page, "first")
        page.wait_for_selector(".machine >> text=One sentence. Another sentence.")
        tunnel.lose(from_page=not came)
        say(page, "second")
        if came:
            wait_for(lambda: len(server.llm.prompts) == 2, "the text to arrive")
        assert page.locator(".you").count() == 2
        if way == "cut":
            tunnel.shut()
            state(page, "offline")
            tunnel.lead_to(server.port)
            page.wait_for_selector("#state:not([data-state=offline])")
        else:
            page.reload()
            page.wait_for_selector("#word >> text=Tap to go on")
        say(page, "third")
        wait_for(lambda: len(server.llm.prompts) == (3 if came else 2), "the next text to arrive")
        if not came:
            page.click(".unsent >> text=Retry")
            wait_for(lambda: len(server.llm.prompts) == 3, "the text to arrive")
        asked = " ".join(message.content for message in server.llm.prompts[2] if message.role == "user")
        assert sorted(asked.split()) == ["first", "second", "third"]
        assert page.locator(".unsent").count() == 0
        assert len(server.sessions) == 1
        tunnel.close()


def test_a_text_of_a_session_that_ended_was_not_answered(
    browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections.access.client_registry, "GRACE_S", 0.0)
    with ScriptedWebServer() as server:
        tunnel = Tunnel(server.port)
        page = open_page(browser, tunnel, [])
        say(page, "first")
        page.wait_for_selector(".machine >> text=One sentence. Another sentence.")
        tunnel.lose(from_page=False)
        say(page, "second")
        wait_for(lambda: len(server.llm.prompts) == 2, "the text to arrive")
        tunnel.cut()
        page.click(".unsent:has-text('Not answered') >> text=Retry")
        page.wait_for_selector(".divider ~ .machine >> text=One sentence.")
        assert page.locator(".unsent").count() == 0
        assert len(server.sessions) == 2
        tunnel.close()


def test_words_light_up_as_they_are_heard(browser: Any) -> None:
    with ScriptedWebServer() as server:
        reply = "A sentence of seven words, or so. And a second one of them, said slowly."
        server.llm._replies = [reply]
        page = open_page(browser, server, [])
        page.evaluate(RECORD_WORDS)
        say(page, "Go on.")
        page.wait_for_function("() => shown.at(-1)?.rest === 0")
        shown = page.evaluate("shown")
        assert page.inner_text(".machine p") == reply
    assert shown[0]["rest"] > 0
    lengths = [one["heard"] for one in shown]
    assert lengths == sorted(lengths)
    assert len({*lengths}) > 4, "word by word"


def test_a_reply_that_fails_is_shown_as_failed(browser: Any) -> None:
    with ScriptedWebServer() as server:
        server.llm._replies = ["One sentence. " * 9]
        server.llm.error_after_words = (6, RuntimeError("its fuse has blown"))
        page = open_page(browser, server, [])
        say(page, "Tell me.")
        page.wait_for_selector(".machine.failed >> text=One sentence.")
        page.wait_for_selector(".note.failed")
        assert "failed" in str(page.text_content("#announcement"))


def test_many_words_that_were_not_heard_are_folded_away(browser: Any) -> None:
    with ScriptedWebServer() as server:
        server.llm._replies = [WORDS]
        page = open_page(browser, server, [])
        say(page, "Tell me.")
        state(page, "speaking")
        page.keyboard.press("Escape")
        page.wait_for_selector(".machine .cut >> text=words not heard")
        assert page.is_hidden(".machine del")
        page.click(".machine .cut")
        assert page.is_visible(".machine del")


def test_the_keys(browser: Any) -> None:
    mistakes: list[str] = []
    with ScriptedWebServer() as server:
        page = open_page(browser, server, mistakes)
        page.keyboard.press("t")
        page.keyboard.type("d m s?")
        assert page.input_value("#text") == "d m s?", "keys are letters where text is typed"
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("?")
        page.wait_for_selector("#help[open]")
        page.keyboard.press("Escape")
        page.keyboard.press("s")
        page.wait_for_selector("#settings dialog[open]")
        page.keyboard.press("Escape")
        page.keyboard.press("d")
        page.wait_for_selector("#details dialog[open]")
        page.keyboard.press("d")
        page.wait_for_selector("#details dialog:not([open])", state="attached")
        page.keyboard.press("Space")
        state(page, "listening")
        page.keyboard.press("m")
        state(page, "muted")
        page.keyboard.press("Space")
        state(page, "listening")
        assert page.title() == "Listening · Speech to speech"
    assert mistakes == []


def test_the_conversation_is_copied_without_what_was_not_heard(browser: Any) -> None:
    with ScriptedWebServer() as server:
        server.llm._replies = [WORDS]
        page = open_page(browser, server, [])
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        say(page, "Tell me.")
        page.wait_for_function(HEARD)
        page.click("#stop")
        page.wait_for_selector(".machine .cut")
        page.click("#copy")
        page.wait_for_selector("#copy.done")
        asked, answered = page.evaluate("navigator.clipboard.readText()").split("\n")
    assert asked == "You said: Tell me."
    assert answered.startswith("Reply: word")
    assert answered.endswith("word […]")


def test_clearing_makes_the_model_forget(browser: Any) -> None:
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [])
        say(page, "Remember me.")
        page.wait_for_selector(".machine >> text=One sentence. Another sentence.")
        page.click("#clear")
        page.click("#clearing >> text=Clear >> nth=-1")
        page.wait_for_selector("#transcript li", state="detached")
        say(page, "Who am I?")
        page.wait_for_selector(".machine >> text=One sentence. Another sentence.")
        assert page.locator(".divider").count() == 0
    assert [message.content for message in server.llm.prompts[-1][1:]] == ["Who am I?"]


def test_what_a_screen_reader_is_told(browser: Any) -> None:
    """Names of the bubbles, and one polite region that says neither guesses nor replies."""
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [], asks=True)
        page.click("#orb")
        page.wait_for_selector(".machine >> text=One sentence.")
        assert page.text_content(".you >> nth=0") == "You said: words"
        assert str(page.text_content(".machine >> nth=0")).startswith("Reply: One sentence.")
        assert page.text_content("#announcement") == "You said: words"
        live = page.eval_on_selector_all(
            "[aria-live]:not([aria-live=off]), [role=status], [role=alert], [role=log]",
            "(all) => all.filter((one) => one.checkVisibility()).map((one) => one.id)",
        )
        assert live == ["announcement"]
