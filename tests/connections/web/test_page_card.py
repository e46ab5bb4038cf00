"""The first-run card of the page in a real browser: what runs, and what would be better."""

import copy
import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from catalog.offers import Offer
from command_line.parse import parse_command_line
from engines.engines import Cascade, Engines
from engines.offer_state import OfferState
from engines.upgrades import Upgrades
from LLM.base import ChatModel
from pipeline.errors import UserError
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from STT.base import Recognizer
from testing.fakes import LoudnessDetector, ScriptedSynthesizer
from testing.hold import Hold
from testing.server import ScriptedWebServer
from tests.connections.web.browser import CHROMIUM, open_page, say
from tests.connections.web.panels import INFO, open_panels
from tests.socket_clients import wait_for
from TTS.espeak import EspeakSynthesizer
from utils.progress import Progress

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

OFFER = Offer(
    "better", "tts", "Better", "a voice that sounds better", 121_000_000, "MIT",
    engine="espeak", model="someone/voice", instead_of=("espeak",),
)  # fmt: skip


class OfferingServer(ScriptedWebServer):
    """A server that speaks with eSpeak and offers a better voice; `hold` stops the download half-way."""

    def __init__(self, **flags: Any) -> None:
        super().__init__(**flags)
        self.hold, self.problem = Hold(), ""
        stt: SharedEngine[Recognizer] = SharedEngine(self.stt)
        llm: SharedEngine[ChatModel] = SharedEngine(self.llm)
        cascade = Cascade(stt, llm, SharedEngine(EspeakSynthesizer()), self._new_chat)
        self._engines = Engines(LoudnessDetector(), self._engines.endpointing, cascade)
        self.upgrades = Upgrades(
            self._engines,
            parse_command_line([]),
            (OFFER,),
            fetch=self._fetch,
            load=lambda arguments, offer: ScriptedSynthesizer(),
        )

    def _fetch(self, offer: Offer, on_progress: Progress) -> None:
        on_progress(50, 120)
        self.hold.pass_through(CancelToken())
        if self.problem:
            raise UserError(self.problem)

    def __exit__(self, *details: object) -> None:
        self.hold.open()
        super().__exit__(*details)


@pytest.fixture
def server() -> Iterator[OfferingServer]:
    with OfferingServer() as server:
        yield server


@pytest.fixture
def page(browser: Any, server: OfferingServer, mistakes: list[str]) -> Any:
    page = open_page(browser, server, mistakes)
    page.wait_for_selector("#card h2")
    return page


def test_the_card_tells_what_runs_until_it_is_dismissed(page: Any) -> None:
    assert page.inner_text("#card h2") == "You are hearing eSpeak, a robotic voice"
    offer = page.locator("#card .offer")
    assert offer.inner_text().split() == [
        "Better", "voice", "A", "voice", "that", "sounds", "better.", "121", "MB", "·", "MIT", "Get",
    ]  # fmt: skip
    page.get_by_role("button", name="Dismiss").click()
    assert page.is_hidden("#card")
    page.reload()
    page.wait_for_selector("#details dt", state="attached")  # it knows what runs
    assert page.is_hidden("#card")


def test_another_placeholder_is_told_of_and_one_that_only_waits_is_not(
    browser: Any, server: OfferingServer, mistakes: list[str]
) -> None:
    page = open_panels(browser, server, mistakes)
    shown = (
        "(info) => { panels.card.offer(info, ''); return document.getElementById('card').innerText; }"
    )
    told = page.evaluate(shown, INFO)
    assert "SmolLM2, a very small model" in told
    assert "eSpeak" not in told, "it only takes over if Piper fails"
    page.get_by_role("button", name="Dismiss").click()
    assert page.evaluate(shown, INFO) == ""
    changed = copy.deepcopy(INFO)
    changed["parts"][2]["placeholder"] = True
    both = page.evaluate(shown, changed)
    assert "SmolLM2, a very small model" in both
    assert "You hear eSpeak" not in both, "Piper is heard"
    changed["parts"][2] |= {"name": "espeak"}
    assert "makes things up. You hear eSpeak, a robotic voice." in page.evaluate(shown, changed)
    for part in changed["parts"]:
        part["placeholder"] = False
    assert page.evaluate(shown, changed) == ""


def test_a_better_voice_is_fetched_used_and_undone(page: Any, server: OfferingServer) -> None:
    server.hold.close()
    page.get_by_role("button", name="Get Better").click()
    page.wait_for_selector("#card >> text=Downloading: 41 %")
    bar = page.get_by_role("progressbar", name="Downloading Better")
    assert bar.evaluate("(bar) => bar.value") == pytest.approx(50 / 120, abs=0.001)
    server.hold.open()
    page.wait_for_selector("#card >> text=Better parts are in use")
    page.wait_for_selector("#details dd >> text=scripted-tts", state="attached")
    assert "In use" in page.inner_text("#card .offer")
    page.reload()
    page.wait_for_selector("#card >> text=Better parts are in use")
    assert "In use" in page.inner_text("#card .offer")
    page.route("**/undo", lambda route: route.fulfill(body="not JSON"), times=1)
    page.get_by_role("button", name="Undo Better").click()
    page.wait_for_selector("#card [role=alert] >> text=JSON")
    page.get_by_role("button", name="Undo Better").click()
    page.wait_for_selector("#card >> text=You are hearing eSpeak")
    assert page.get_by_role("button", name="Get Better").is_visible()


def test_an_offer_that_fails_says_why_and_can_be_tried_again(page: Any, server: OfferingServer) -> None:
    server.problem = "there is no network"
    page.get_by_role("button", name="Get Better").click()
    page.wait_for_selector("#card [role=alert] >> text=there is no network")
    server.problem = ""
    page.get_by_role("button", name="Try again Better").click()
    page.wait_for_selector("#card >> text=In use")


def test_a_connection_that_breaks_is_no_success(page: Any, server: OfferingServer) -> None:
    assert server.upgrades is not None
    only = server.upgrades.offers()[0].plain() | {"state": "downloading"}
    page.route("**/v1/offers/better", lambda route: route.fulfill(body=json.dumps(only) + "\n"))
    page.get_by_role("button", name="Get Better").click()
    page.wait_for_selector("#card [role=alert] >> text=The connection to the server broke.")


def test_an_offer_that_is_under_way_is_followed(
    browser: Any, server: OfferingServer, mistakes: list[str]
) -> None:
    server.hold.close()
    url = f"http://127.0.0.1:{server.port}/v1/offers/better"
    begun = threading.Thread(target=httpx2.post, args=(url,), kwargs={"trust_env": False, "timeout": 60})
    begun.start()
    server.hold.wait_until_reached()
    page = open_page(browser, server, mistakes)
    page.wait_for_selector("#card >> text=Downloading: 41 %")
    server.hold.open()
    page.wait_for_selector("#card >> text=In use")
    begun.join()


def test_who_may_not_change_the_parts_gets_the_command(browser: Any, mistakes: list[str]) -> None:
    with OfferingServer(token="sesame") as server:
        address = f"http://127.0.0.1:{server.port}"
        token = {"Authorization": "Bearer sesame"}
        made = httpx2.post(
            f"{address}/v1/realtime/client_secrets",
            headers=token,
            json={},
            trust_env=False,
            timeout=60,
        )
        page = browser.new_page()
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.on("pageerror", lambda error: mistakes.append(str(error)))
        page.goto(f"{address}/#token={made.json()['value']}")
        page.wait_for_selector("#card >> text=On the server, type:")
        assert page.inner_text("#card code") == "s2s get better"
        assert page.get_by_role("button", name="Get Better").count() == 0
        page.locator("#card").get_by_role("button", name="Copy").click()
        page.wait_for_selector("#card >> text=Copied")
        assert page.evaluate("navigator.clipboard.readText()") == "s2s get better"
        assert server.upgrades is not None
        states: list[OfferState] = []
        server.upgrades.begin("better", states.append)
        wait_for(lambda: states[-1].is_final, "the better voice")
        page.reload()
        page.wait_for_selector("#details dd >> text=scripted-tts", state="attached")
        assert page.is_hidden("#card"), "this client cannot undo it"


TRIANGLES = """() => [...document.querySelectorAll("#card summary")]
  .filter((one) => one.checkVisibility())
  .filter((one) => getComputedStyle(one, "::before").content !== "none").length"""


def test_it_folds_to_a_line_when_a_conversation_begins(page: Any) -> None:
    assert page.evaluate(TRIANGLES) == 1
    page.set_viewport_size({"width": 390, "height": 844})
    say(page, "Hello?")
    page.wait_for_selector(".machine >> text=One sentence.")
    line = page.locator("#card .line")
    assert line.text_content().replace("\xa0", " ") == "eSpeak is a robotic voice · Better parts"
    assert page.locator("#card").bounding_box()["height"] < 60
    assert page.is_hidden("#card .offer")
    assert page.evaluate(TRIANGLES) == 1
    page.set_viewport_size({"width": 240, "height": 844})
    assert line.evaluate("(line) => line.scrollWidth <= line.clientWidth"), "it wraps"
    page.set_viewport_size({"width": 390, "height": 844})
    line.click()
    assert page.evaluate(TRIANGLES) == 1
    assert page.get_by_role("button", name="Get Better").is_visible()
    card, bubble = (page.locator(one).bounding_box() for one in ("#card", "#transcript li >> nth=0"))
    assert bubble["y"] - (card["y"] + card["height"]) >= 16, "the bubbles keep clear of it"
    page.click("#card h2")
    assert line.is_visible()
