"""The page on its way to the browser: all modules at once, and what it says if they do not come."""

import re
from typing import Any

import pytest

from testing.server import ScriptedWebServer
from tests.command import ROOT
from tests.connections.web.browser import CHROMIUM

WEB = ROOT / "web"
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")


def imported(name: str, found: set[str]) -> set[str]:
    """The modules that this one needs, itself included, added to those found."""
    if name not in found:
        found.add(name)
        for other in re.findall(
            r'^(?:im|ex)port[^;]*? from "\./([\w.]+)";$', (WEB / name).read_text("utf-8"), re.M
        ):
            imported(other, found)
    return found


def test_the_browser_is_told_of_every_module_at_once() -> None:
    """Else each level of imports costs a round trip."""
    told = re.findall(
        r'<link rel="modulepreload" href="([\w.]+)">', (WEB / "index.html").read_text("utf-8")
    )
    assert told == sorted(imported("app.js", set()) - {"app.js"})


@needs_browser
@pytest.mark.parametrize("fault", ["lost", "missing", "not understood", "fails"])
def test_a_page_that_cannot_start_says_so(browser: Any, fault: str) -> None:
    answers: dict[str, Any] = {
        "missing": {"status": 404},
        "not understood": {"body": "export let in = 1;"},
        "fails": {"body": "undefined.x; export class Sound {}; export class MicrophoneError {};"},
    }
    with ScriptedWebServer() as server:
        page = browser.new_page()

        def answer(route: Any) -> None:
            if fault == "lost":
                route.abort()
            else:
                route.fulfill(content_type="text/javascript", **answers[fault])

        page.route("**/sound.js", answer)
        page.goto(f"http://127.0.0.1:{server.port}/")
        page.wait_for_selector("#word >> text=This page could not start")
        assert "Load it again" in page.inner_text("#hint")
        page.unroute("**/sound.js")
        page.reload()
        page.wait_for_selector("#word >> text=Tap to talk")


@needs_browser
def test_a_page_without_javascript_says_so(browser: Any) -> None:
    with ScriptedWebServer() as server:
        page = browser.new_page(java_script_enabled=False)
        page.goto(f"http://127.0.0.1:{server.port}/")
        assert page.inner_text("#hint").startswith("This page needs JavaScript")
        assert page.is_hidden("#word")
        assert page.is_hidden("#state")


@needs_browser
def test_a_page_that_is_loaded_again_asks_for_the_index_alone(browser: Any) -> None:
    with ScriptedWebServer() as server:
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.port}/web/")
        page.wait_for_selector("#word >> text=Tap to talk")
        page.reload()
        page.wait_for_selector("#word >> text=Tap to talk")
        fetched = page.evaluate(
            """() => performance.getEntriesByType("resource")
              .filter((one) => /[.](js|css)$/.test(one.name)).map((one) => one.transferSize)"""
        )
    assert len(fetched) > 40
    assert not any(fetched)
