"""The token of the server: in a link, asked for by the page, and changed."""

from pathlib import Path
from typing import Any

import pytest

import connections.access.client_registry
from testing.server import ScriptedWebServer
from tests.connections.web.browser import CHROMIUM, open_page, state
from tests.connections.web.tunnel import Tunnel
from tests.socket_clients import wait_for

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")


def test_a_token_in_the_link_leaves_the_address_and_stays_in_the_tab(browser: Any) -> None:
    with ScriptedWebServer(token="sesame") as server:
        page = open_page(browser, server, [])
        address = f"http://127.0.0.1:{server.port}/web/"
        page.goto(f"{address}#token=sesame")
        page.wait_for_function("() => !location.hash")
        assert page.evaluate("location.href") == address
        page.reload()
        page.click("#orb")
        state(page, "listening")
        assert page.is_hidden("#trouble")


def test_a_token_that_is_asked_for_at_once_and_the_voices_behind_it(browser: Any) -> None:
    with ScriptedWebServer(token="sesame") as server:
        page = open_page(browser, server, [])
        page.wait_for_selector("#trouble >> text=This server needs a token")
        state(page, "off")
        page.keyboard.type("sesam")
        page.keyboard.press("Enter")
        page.wait_for_selector("#trouble >> text=That token is wrong")
        page.keyboard.type("sesame")
        page.keyboard.press("Enter")
        state(page, "listening")
        assert page.is_hidden("#trouble")
        page.click("#show-settings")
        page.click("#setting-voice")
        page.fill("[data-field=voice] input[type=search]", "nobody")
        page.get_by_role("radio", name="nobody").check()
        page.wait_for_selector("[data-field=voice] >> text=expected one of the voices low, high")
        page.fill("[data-field=voice] input[type=search]", "")
        page.get_by_role("radio", name="high", exact=True).check()
        page.wait_for_selector("[data-field=voice] .field-error:empty", state="attached")
        page.get_by_role("radio", name="Hold to talk").check()
        wait_for(lambda: server.sessions[-1].settings.voice == "high", "the voice to be chosen")
        wait_for(lambda: not server.sessions[-1].settings.hands_free, "the button to be held")
        state(page, "ready")


def test_a_token_that_changed_is_used_to_reconnect(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections.access.client_registry, "GRACE_S", 0.0)
    tokens = tmp_path / "tokens"
    tokens.write_text("sesame")
    with ScriptedWebServer(token_file=str(tokens)) as server:
        tunnel = Tunnel(server.port)
        page = open_page(browser, tunnel, [])
        page.fill("#trouble input", "sesame")
        page.keyboard.press("Enter")
        state(page, "listening")
        tokens.write_text("open")
        page.evaluate("() => { location.hash = 'token=open'; }")  # as a link that is opened in this tab
        page.wait_for_function("() => !location.hash")
        tunnel.cut()
        wait_for(lambda: len(server.sessions) == 2, "the page to come back")
        state(page, "listening")
        tunnel.close()
