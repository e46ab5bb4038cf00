"""The settings sheet of the page in a real browser."""

from collections.abc import Iterator
from typing import Any

import pytest

from testing.server import ScriptedWebServer
from tests.connections.web.browser import CHROMIUM
from tests.connections.web.panels import INFO, for_server, load, open_panels, values

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedWebServer]:
    with ScriptedWebServer() as server:
        yield server


@pytest.fixture
def page(browser: Any, server: ScriptedWebServer, mistakes: list[str]) -> Any:
    page = open_panels(browser, server, mistakes)
    page.evaluate("(info) => panels.settings.offer(info)", INFO)
    page.click("#opener")
    return page


def field(page: Any, name: str) -> Any:
    return page.locator(f"[data-field={name}]")


def test_the_settings_survive_a_reload_and_the_token_this_tab(
    page: Any, server: ScriptedWebServer
) -> None:
    page.evaluate("panels.settings.useToken('sesame')")
    for choice in ("Slow", "Hold to talk", "Live interpreting", "Large", "Dark"):
        page.get_by_label(choice, exact=True).check()
    page.get_by_label("Language").select_option("te")
    page.get_by_label("Instructions").fill("Be brief.")
    page.get_by_label("Volume").fill("0.4")
    wanted = {
        "patience": "slow", "hands": "hold", "mode": "stream", "captions": "large", "theme": "dark",
        "language": "te", "instructions": "Be brief.", "volume": 0.4, "voice": "", "microphone": "",
        "loudspeaker": "",
    }  # fmt: skip
    assert values(page) == {**wanted, "token": "sesame"}
    assert set(page.evaluate("changes")) == {*wanted, "token"} - {"voice", "microphone", "loudspeaker"}
    assert "sesame" not in page.evaluate("JSON.stringify(localStorage)")
    load(page, server)
    assert values(page) == {**wanted, "token": "sesame"}
    assert page.evaluate("({ ...document.documentElement.dataset })") == {
        "theme": "dark", "captions": "large",
    }  # fmt: skip
    assert for_server(page) == {
        "hands_free": False, "reply_mode": "stream", "patience": "slow", "voice": None, "language": "te",
        "instructions": "Be brief.",
    }  # fmt: skip
    page.click("#opener")
    assert page.get_by_label("Slow").is_checked()
    assert page.get_by_label("Instructions").input_value() == "Be brief."


def test_kept_values_that_mean_nothing_any_more_are_forgotten(
    page: Any, server: ScriptedWebServer
) -> None:
    page.evaluate("""localStorage.setItem("s2s.settings",
        '{"theme": "pink", "volume": "loud", "colour": 1, "patience": "quick"}')""")
    load(page, server)
    kept = values(page)
    assert (kept["theme"], kept["volume"], kept["patience"]) == ("auto", 1, "quick")
    assert "colour" not in kept
    page.evaluate("""localStorage.setItem("s2s.settings", "{")""")
    load(page, server)
    assert values(page)["patience"] == "normal"


def test_voices_stand_under_the_names_of_languages_and_can_be_searched(page: Any) -> None:
    page.click("text=Default: en-us")
    headings = field(page, "voice").locator("h3")
    assert headings.all_inner_texts() == ["English", "తెలుగు (Telugu)", "Other"]
    page.keyboard.type("telu")
    assert headings.all_inner_texts() == ["తెలుగు (Telugu)"]
    page.get_by_label("Priya", exact=True).check()
    assert page.evaluate("changes") == ["voice"]
    assert field(page, "voice").locator(".disclose").inner_text() == "Priya · Telugu"
    assert for_server(page)["voice"] == "Priya"
    page.get_by_label("Search").fill("en-gb+f3")
    page.get_by_label("Use “en-gb+f3”", exact=True).check()
    assert for_server(page)["voice"] == "en-gb+f3"


def test_voices_have_names_of_people(page: Any) -> None:
    names = ["en_US-joe-medium", "ca_ES-upc_ona-x_low", "af_heart", "en-gb"]
    voices = [{"name": name, "language": "en", "language_name": "English"} for name in names]
    page.evaluate("(info) => panels.settings.offer(info)", {**INFO, "voices": voices, "voice": names[0]})
    page.click("text=Default: Joe · English")
    rows = field(page, "voice").locator("label > span")
    assert rows.all_inner_texts()[-4:] == ["Joe", "Upc Ona", "Heart", "en-gb"]
    page.get_by_role("radio", name="Heart").check()
    assert field(page, "voice").locator(".disclose").inner_text() == "Heart · English"
    assert for_server(page)["voice"] == "af_heart"


def test_one_language_is_no_choice(page: Any) -> None:
    options = field(page, "language").locator("option")
    assert "Detect automatically" in options.all_inner_texts()
    one = {**INFO, "languages": [{"code": "en", "name": "English"}]}
    page.evaluate("(info) => panels.settings.offer(info)", one)
    assert options.all_inner_texts() == ["English"]
    assert page.get_by_label("Language").is_disabled()
    page.evaluate("(info) => panels.settings.offer(info)", INFO)
    assert page.get_by_label("Language").is_enabled()


def test_a_refused_voice_is_told_beside_its_field_and_not_sent_again(page: Any) -> None:
    page.click("text=Default: en-us")
    page.get_by_label("Search").fill("nobody")
    page.get_by_label("Use “nobody”", exact=True).check()
    page.evaluate("panels.settings.refuse('voice', 'expected one of the voices Priya, en-us')")
    told = field(page, "voice").get_by_role("alert")
    assert told.inner_text().endswith("expected one of the voices Priya, en-us")
    button = field(page, "voice").locator(".disclose")
    assert told.get_attribute("id") in button.get_attribute("aria-describedby").split()
    assert for_server(page)["voice"] is None
    page.get_by_label("Search").fill("")
    page.get_by_label("en-gb", exact=True).check()
    assert told.inner_text() == ""
    assert for_server(page)["voice"] == "en-gb"


def test_a_kept_language_that_another_server_lacks(page: Any) -> None:
    page.get_by_label("Language").select_option(label="తెలుగు (Telugu)")
    assert for_server(page)["language"] == "te"
    other = {**INFO, "languages": [{"code": "en", "name": "English"}]}
    page.evaluate("(info) => panels.settings.offer(info)", other)
    assert "does not have this language" in field(page, "language").inner_text()
    assert for_server(page)["language"] is None
    assert page.get_by_label("Language").is_enabled(), "the user may choose another"
    page.evaluate("(info) => panels.settings.offer(info)", INFO)
    assert "does not have this language" not in field(page, "language").inner_text()
    assert for_server(page)["language"] == "te"


def test_what_has_no_effect_is_disabled_and_says_why(page: Any) -> None:
    turn_taking = {**INFO["turn_taking"], "takes_turns": True}
    page.evaluate(
        "(info) => panels.settings.offer(info)", {**INFO, "turn_taking": turn_taking, "voices": []}
    )
    for name in ("patience", "mode"):
        assert field(page, name).locator("input").first.is_disabled()
        assert "takes turns by itself" in field(page, name).inner_text()
    assert field(page, "voice").locator(".disclose").is_disabled()
    assert "one voice only" in field(page, "voice").inner_text()
    assert page.get_by_label("Hold to talk").is_enabled()
    page.evaluate("(info) => panels.settings.offer(info)", INFO)
    assert page.get_by_label("Live interpreting").is_enabled()
    assert "by itself" not in field(page, "mode").inner_text()


def test_esc_closes_and_the_focus_returns(page: Any) -> None:
    inside = "document.activeElement.closest('dialog') !== null"
    assert page.evaluate(inside)
    for _ in range(40):  # more than there are controls: the page behind cannot be reached
        page.keyboard.press("Tab")
        assert page.evaluate(f"{inside} || document.activeElement === document.body")
    page.evaluate("window.pressed = []; addEventListener('keydown', (event) => pressed.push(event.key))")
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0
    assert page.evaluate("document.activeElement.id") == "opener"
    assert page.evaluate("pressed") == [], "the page would stop the answer"


def test_the_microphone_is_heard_and_judged(page: Any) -> None:
    page.get_by_role("button", name="Test the microphone").click()
    told = page.evaluate(
        """() => new Promise((heard) => {
          const meter = document.querySelector("[data-field=microphone] meter");
          const hint = document.querySelector("[data-field=microphone] [role=status]");
          const look = () => (meter.value > 0.2 ? heard(hint.innerText) : requestAnimationFrame(look));
          look();
        })"""
    )
    assert told == "Say something…"
    page.wait_for_selector("[data-field=microphone] >> text=That sounds good.")
    assert "Fake" in page.get_by_label("Microphone", exact=True).inner_text()
    assert page.evaluate("document.querySelector('[data-field=microphone] meter').value") == 0


@pytest.mark.parametrize(
    ("peak", "verdict"), [(0.0, "Is it muted?"), (0.02, "Very quiet."), (0.5, "That sounds good.")]
)
def test_the_level_of_a_conversation_serves_the_test(page: Any, peak: float, verdict: str) -> None:
    page.clock.install()
    page.evaluate(
        """(peak) => {
          navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error("a second capture"));
          setInterval(() => panels.settings.level(peak), 20);
        }""",
        peak,
    )
    page.get_by_role("button", name="Test the microphone").click()
    page.clock.run_for(6000)
    page.wait_for_selector(f"[data-field=microphone] >> text={verdict}")


def test_the_loudspeaker_plays_two_notes(page: Any) -> None:
    page.get_by_role("button", name="Test the loudspeaker").click()
    page.wait_for_selector("[data-field=loudspeaker] >> text=Two notes were played.")


FETCH_INFO = """async (token) => {
  const { fetchInfo } = await import("/web/info.js");
  try {
    const info = await fetchInfo(token);
    panels.settings.offer(info);
    return info.voices.map(({ name }) => name);
  } catch ({ status, message }) {
    return [status, message];
  }
}"""


def test_a_voice_plays_a_sample(page: Any) -> None:
    page.evaluate(
        """() => {
          window.played = [];
          const start = AudioBufferSourceNode.prototype.start;
          AudioBufferSourceNode.prototype.start = function () {
            played.push(this.buffer.duration);
            return start.call(this);
          };
        }"""
    )
    assert page.evaluate(FETCH_INFO, "") == ["low", "high"]
    field(page, "voice").locator(".disclose").click()
    with page.expect_request("**/v1/audio/speech") as asked:
        page.get_by_role("button", name="Play a sample: high").click()
    assert asked.value.post_data_json["voice"] == "high"
    page.wait_for_selector("[aria-label='Play a sample: high']:enabled")
    assert page.evaluate("played")[0] > 0
    assert field(page, "voice").get_by_role("alert").inner_text() == ""


def test_a_sample_that_fails_says_why(page: Any, mistakes: list[str]) -> None:
    page.get_by_text("Default: en-us").click()
    page.get_by_role("button", name="Play a sample: Priya").click()
    page.wait_for_selector(
        "[data-field=voice] [role=alert] >> text=expected one of the voices low, high"
    )
    assert page.get_by_role("button", name="Play a sample: Priya").is_enabled()
    page.unroute_all()
    page.route("**/v1/audio/speech", lambda route: route.fulfill(status=404, body="{}"))
    page.get_by_role("button", name="Play a sample: Priya").click()
    page.wait_for_selector("[data-field=voice] [role=alert] >> text=This server plays no samples.")
    assert page.get_by_role("button", name="Play a sample: Priya").count() == 0
    assert len(mistakes) == 2, "the browser reports both answers"
    mistakes.clear()


def test_the_information_needs_the_token(browser: Any) -> None:
    with ScriptedWebServer(token="sesame") as server:
        page = open_panels(browser, server, [])
        assert page.evaluate(FETCH_INFO, "")[0] == 401
        assert page.evaluate(FETCH_INFO, "sesame") == ["low", "high"]
    assert page.evaluate(FETCH_INFO, "sesame") == [0, "The server cannot be reached."]
