"""The details and the trouble card of the page in a real browser."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from testing.server import ScriptedWebServer
from tests.connections.web.browser import CHROMIUM
from tests.connections.web.panels import INFO, open_panels
from tests.web_client import WebClient

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")


@pytest.fixture
def server() -> Iterator[ScriptedWebServer]:
    with ScriptedWebServer() as server:
        yield server


def info(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(INFO), **changes}


def latency(total: float, **parts: float) -> dict[str, Any]:
    stages = dict.fromkeys(("silence_ms", "stt_ms", "llm_ms", "tts_ms", "s2s_ms", "rest_ms"))
    return {"total_ms": total, **stages, **{f"{name}_ms": ms for name, ms in parts.items()}}


# -- details ------------------------------------------------------------------------------------------


def test_a_real_conversation_in_the_details(
    browser: Any, server: ScriptedWebServer, mistakes: list[str]
) -> None:
    with WebClient(server.port) as client:
        client.ask()
        client.until("TurnDone")
    page = open_panels(browser, server, mistakes)
    page.evaluate(
        """(messages) => {
          for (const message of messages) {
            panels.details.log(message);
            if (message.event === "TurnDone") panels.details.turnDone(message);
          }
          panels.details.toggle();
        }""",
        client.messages,
    )
    answer = page.locator("#details .waterfall li")
    assert answer.count() == 1
    assert answer.inner_text().startswith("Waited 0.")
    assert "pause 0." in answer.inner_text()
    assert page.inner_text("#details .summary").startswith("The answer began after 0.")
    log = page.inner_text("#details .log")
    assert "SpeechStarted" in log
    assert "TurnDone turn=1 state=done" in log
    spoken = next(one["text"] for one in client.messages if one.get("event") == "Transcript")
    assert spoken, "there is something to leave out"
    assert spoken not in log
    assert client.messages[0]["key"] not in log


def test_the_wait_in_words_and_units(
    browser: Any, server: ScriptedWebServer, mistakes: list[str]
) -> None:
    page = open_panels(browser, server, mistakes)
    answers = [
        latency(312, silence=290, stt=32, llm=10, tts=9, rest=-29),
        latency(1040, silence=1000, s2s=34, rest=2),
        *(latency(400 + n, silence=400) for n in range(18)),
        {**latency(0), "total_ms": None},
    ]
    page.evaluate("panels.details.toggle()")
    assert page.inner_text("#details .summary").endswith("when that answer is over.")
    tell = "(all) => all.forEach((latency) => panels.details.turnDone({ latency }))"
    page.evaluate(tell, answers[:1])
    assert page.inner_text("#details .summary") == "The answer began after 0.31 s."
    page.evaluate(tell, answers[1:2])
    assert page.inner_text("#details .summary") == "The 2 answers began after 0.31 to 1.04 s."
    shown = page.locator("#details .waterfall li").all_inner_texts()
    assert [line.replace("\xa0", " ").strip() for line in shown] == [
        "Waited 1.04 s: pause 1.00 · answer 0.03",
        "Waited 0.31 s: pause 0.29 · hearing 0.03 · answer 0.01 · voice 0.01",
    ]
    page.evaluate(tell, answers[2:])
    assert page.inner_text("#details .summary") == (
        "Half of the answers began within 0.41 s, 95 % within 0.42 s. 19 of 20 took less than 0.50 s."
    )
    assert page.locator("#details .waterfall li").count() == 8, "the last ones"


def test_what_runs_where(browser: Any, server: ScriptedWebServer, mistakes: list[str]) -> None:
    page = open_panels(browser, server, mistakes)
    page.evaluate("(info) => { panels.details.offer(info); panels.details.toggle(); }", INFO)
    shown = page.inner_text("#details section >> nth=0")
    assert "Private: nothing that you say leaves this machine." in shown
    assert "Moonshine tiny-en" in shown
    assert "small and fast · on this machine (CPU)" in shown
    assert "Voice, if that fails" in shown
    assert shown.count("SmolLM2-135M") == 1
    assert "very small · a stand-in until you get a better one" in shown
    remote = info(private=False)
    remote["parts"][1]["host"] = "api.openai.com"
    page.evaluate("(info) => panels.details.offer(info)", remote)
    shown = page.inner_text("#details section >> nth=0")
    assert "What you say is sent to api.openai.com." in shown
    assert "on api.openai.com" in shown


def test_the_details_leave_the_page_usable_where_there_is_room(
    browser: Any, server: ScriptedWebServer, mistakes: list[str]
) -> None:
    wide = open_panels(browser, server, mistakes, viewport={"width": 1440, "height": 900})
    wide.evaluate("panels.details.toggle()")
    assert wide.evaluate("panels.details.isOpen && !document.querySelector('dialog:modal')")
    wide.keyboard.press("Escape")
    assert not wide.evaluate("panels.details.isOpen")
    phone = open_panels(browser, server, mistakes, viewport={"width": 390, "height": 844})
    phone.evaluate("panels.details.toggle()")
    assert phone.evaluate("document.querySelector('dialog:modal').offsetWidth") == 390
    phone.get_by_role("button", name="Done").click()
    assert not phone.evaluate("panels.details.isOpen")


# -- the trouble card ---------------------------------------------------------------------------------


def test_trouble_is_one_card_with_one_action(
    browser: Any, server: ScriptedWebServer, mistakes: list[str]
) -> None:
    page = open_panels(browser, server, mistakes)
    alert = page.get_by_role("alert").filter(has_text="blocked")
    assert page.is_hidden("#trouble")
    page.evaluate(
        """() => {
          window.ran = 0;
          const action = { label: "Type instead", run: () => (ran += 1) };
          panels.trouble.show({ title: "First" });
          panels.trouble.show({ title: "The microphone is blocked", text: "Allow it.", action });
        }"""
    )
    assert "First" not in page.inner_text("#trouble")
    assert alert.is_visible()
    page.get_by_role("button", name="Type instead").click()
    assert page.evaluate("ran") == 1
    assert page.is_hidden("#trouble")
    page.evaluate("panels.trouble.show({ title: 'Another' })")
    page.get_by_role("button", name="Dismiss").click()
    assert page.is_hidden("#trouble")


def test_the_log_is_bounded_and_knows_errors_only_in_words(
    browser: Any, server: ScriptedWebServer, mistakes: list[str]
) -> None:
    page = open_panels(browser, server, mistakes)
    page.evaluate(
        """() => {
          for (let at = 0; at < 600; at++) panels.details.log({ type: "event", event: "Duck", at });
          panels.details.log({ type: "error", code: "unknown_voice", text: "expected a voice" });
          panels.details.log({ type: "event", event: "ReplyText", text: "a secret", heard: "another" });
          panels.details.toggle();
        }"""
    )
    lines = page.inner_text("#details .log").splitlines()
    assert len(lines) == 500
    assert lines[-2].endswith("error code=unknown_voice text=expected a voice")
    assert lines[-1].endswith("ReplyText")
    assert json.dumps(lines).count("secret") == 0
