"""The page's geometry: what a user sees of a conversation, on a desk and on a phone."""

from typing import Any

import pytest

from testing.server import ScriptedWebServer
from tests.connections.web.browser import CHROMIUM, choose, open_page, say, state
from tests.connections.web.panels import INFO

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

SIZES = [(1440, 900), (390, 844), (844, 390)]
TURNS = 8
SECONDARY_PX, TARGET_PX = 24, 44
BOXES = """() => Object.fromEntries(
  Object.entries({
    newest: "#transcript li:last-child", stage: "#stage", dock: "#dock", orb: "#orb", text: "#text",
    header: "header",
  }).flatMap(([name, selector]) => {
    const element = document.querySelector(selector);
    return element ? [[name, element.getBoundingClientRect().toJSON()]] : [];
  }),
)"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES, ids=[f"{width}x{height}" for width, height in SIZES])
def test_the_newest_turn_lies_above_the_dock(browser: Any, size: tuple[int, int], scheme: str) -> None:
    width, height = size
    with ScriptedWebServer() as server:
        viewport = {"width": width, "height": height}
        page = open_page(browser, server, [], viewport=viewport, color_scheme=scheme)
        for turn in range(TURNS):
            server.llm._replies = [f"Answer {turn}."]
            say(page, f"Question {turn}?")
            page.wait_for_selector(f".machine p >> text=Answer {turn}.")
        page.wait_for_function(
            """() => {
              const stage = document.querySelector("#stage");
              return stage.scrollHeight - stage.scrollTop - stage.clientHeight < 2;
            }"""
        )
        boxes = page.evaluate(BOXES)
        newest, stage, dock, orb = (boxes[name] for name in ("newest", "stage", "dock", "orb"))
        assert boxes["header"]["bottom"] <= stage["top"]
        assert stage["top"] <= newest["top"] < newest["bottom"] <= stage["bottom"] <= dock["top"]
        assert dock["bottom"] <= height
        assert 0 <= newest["left"] < newest["right"] <= width
        assert orb["bottom"] <= dock["top"]
        beside, below = orb["right"] <= stage["left"], orb["top"] >= stage["bottom"]
        assert beside or below, "the button covers no turn"
        assert stage["bottom"] - stage["top"] >= 0.6 * (height - 150), "several lines are in view"
        assert boxes["text"]["right"] - boxes["text"]["left"] >= 150
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_button_stays_on_its_side_of_a_flat_phone(browser: Any) -> None:
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [], viewport={"width": 844, "height": 390})
        page.evaluate("document.querySelector('#card').hidden = false")
        assert page.evaluate(BOXES)["orb"]["right"] < 844 / 2
        say(page, "Hello?")
        page.wait_for_selector(".machine p")
        assert page.evaluate(BOXES)["orb"]["right"] < 844 / 2


def test_the_help_is_read_from_its_beginning(browser: Any) -> None:
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [], viewport={"width": 844, "height": 390})
        page.click("#show-help")
        assert page.evaluate("document.querySelector('#help').scrollTop") == 0
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.locator("dialog[open]").count() == 0, "Done comes next"


def test_the_time_of_a_bubble_is_one_line(browser: Any) -> None:
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [], viewport={"width": 1440, "height": 900})
        say(page, "Hello?")
        page.wait_for_selector(".machine p")
        page.evaluate("document.querySelector('.machine').dataset.time = '03:28 AM'")
        height = page.evaluate(
            "parseFloat(getComputedStyle(document.querySelector('.machine'), '::after').height)"
        )
        assert height < 2 * 12, "of 12 px each"


def test_who_scrolls_up_stays_there_until_the_pill_leads_back(browser: Any) -> None:
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [], viewport={"width": 390, "height": 500})
        for turn in range(TURNS):
            say(page, f"Question {turn}?")
            page.wait_for_selector(f".machine p >> nth={turn}")
        page.hover("#stage")
        page.mouse.wheel(0, -2000)
        page.wait_for_selector("#newest:not([hidden])")
        page.keyboard.press("Escape")
        page.evaluate("document.querySelector('#stage').scrollTop = 0")
        server.sessions[0].respond("And one more?")
        page.wait_for_selector(f".machine p >> nth={TURNS}", state="attached")
        assert page.evaluate("document.querySelector('#stage').scrollTop") == 0
        page.click("#newest")
        page.wait_for_function(
            """() => {
              const newest = document.querySelector("#transcript li:last-child").getBoundingClientRect();
              return newest.bottom <= document.querySelector("#stage").getBoundingClientRect().bottom;
            }"""
        )
        assert page.is_hidden("#newest")


@pytest.mark.parametrize("size", SIZES, ids=[f"{width}x{height}" for width, height in SIZES])
def test_controls_are_large_enough_to_be_hit(browser: Any, size: tuple[int, int]) -> None:
    with ScriptedWebServer() as server:
        viewport = dict(zip(("width", "height"), size, strict=True))
        page = open_page(browser, server, [], viewport=viewport)
        server.llm._replies = ["One sentence that takes a while to say. " * 20]
        say(page, "Hello?")
        page.wait_for_selector("#stop:not([hidden])")
        small = page.evaluate(
            """([target, secondary]) =>
              [...document.querySelectorAll("body > :not(aside) button, #text")]
                .filter((one) => one.checkVisibility())
                .filter((one) => {
                  const { width, height } = one.getBoundingClientRect();
                  return Math.min(width, height) < (one.closest("#transcript") ? secondary : target);
                })
                .map((one) => one.id)""",
            [TARGET_PX, SECONDARY_PX],
        )
    assert small == []


def test_the_placeholder_is_whole_beside_the_buttons_of_a_small_phone(browser: Any) -> None:
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [], viewport={"width": 360, "height": 740})
        server.llm._replies = ["One sentence that takes a while to say. " * 20]
        say(page, "Hello?")
        page.wait_for_selector("#stop:not([hidden])")
        room, needed = page.evaluate(
            """() => {
              const field = document.querySelector("#text");
              const { font, paddingLeft, paddingRight } = getComputedStyle(field);
              const canvas = new OffscreenCanvas(1, 1).getContext("2d");
              canvas.font = font;
              return [
                field.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight),
                canvas.measureText(field.placeholder).width,
              ];
            }"""
        )
    assert 0 < needed <= room


@pytest.mark.parametrize("size", SIZES, ids=[f"{width}x{height}" for width, height in SIZES])
def test_a_long_card_scrolls_and_leaves_the_controls_in_view(
    browser: Any, size: tuple[int, int]
) -> None:
    with ScriptedWebServer() as server:
        viewport = dict(zip(("width", "height"), size, strict=True))
        page = open_page(browser, server, [], viewport=viewport)
        page.evaluate(
            """() => {
              const card = document.querySelector("#card");
              card.hidden = false;
              card.textContent = "It would be better. ".repeat(500);
            }"""
        )
        boxes = page.evaluate(BOXES)
        assert boxes["orb"]["bottom"] <= boxes["dock"]["top"] < boxes["dock"]["bottom"] <= size[1]
        stage, orb = boxes["stage"], boxes["orb"]
        assert stage["bottom"] <= orb["top"] or orb["right"] <= stage["left"]


CUT = """() => {
  const stage = document.querySelector("#stage");
  const top = document.querySelector("header").getBoundingClientRect().bottom;
  const bottom = document.querySelector("#orb").getBoundingClientRect().top;
  const all = [...document.querySelectorAll("#card, .trouble-card")];
  const cards = all.filter((one) => one.checkVisibility());
  return {
    cards: cards.length, scrolls: stage.scrollHeight > stage.clientHeight,
    between: cards.every((one) => {
      const box = one.getBoundingClientRect();
      return top <= box.top && box.bottom <= bottom;
    }),
  };
}"""
SHOW_TROUBLE = """async () => {
  const { Trouble } = await import("/web/trouble.js");
  const action = { label: "Try again", run: () => {} };
  const trouble = new Trouble(document.querySelector("#trouble"));
  trouble.show({ title: "The microphone is blocked", text: "Allow it in the address bar.", action });
}"""


@pytest.mark.parametrize("size", [(1440, 900), (1440, 800), (1280, 700), (390, 844)])
def test_an_open_card_and_a_notice_are_seen_whole(browser: Any, size: tuple[int, int]) -> None:
    offer = INFO["offers"][0]
    info = {**INFO, "offers": [{**offer, "name": name} for name in ("qwen", "kokoro", "moonshine")]}
    with ScriptedWebServer() as server:
        page = browser.new_page(viewport=dict(zip(("width", "height"), size, strict=True)))
        page.route("**/v1/info", lambda route: route.fulfill(json=info))
        page.goto(f"http://127.0.0.1:{server.port}/")
        page.wait_for_selector("#card:not([hidden])")
        page.evaluate("() => { document.querySelector('#card .better').open = true; }")
        page.wait_for_function("() => !document.getAnimations().length")
        whole = {"cards": 1, "scrolls": False, "between": True}
        assert page.evaluate(CUT) == whole
        page.evaluate(SHOW_TROUBLE)
        page.wait_for_function("() => !document.getAnimations().length")
        assert page.evaluate(CUT) == whole, "one card at a time"


@pytest.mark.parametrize("typed", [False, True], ids=["empty", "conversation"])
@pytest.mark.parametrize("size", SIZES[1:], ids=[f"{width}x{height}" for width, height in SIZES[1:]])
def test_a_thumb_need_not_aim_to_hold(browser: Any, size: tuple[int, int], typed: bool) -> None:
    viewport = dict(zip(("width", "height"), size, strict=True))
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [], viewport=viewport, is_mobile=True, has_touch=True)
        choose(page, "Hold to talk")
        if typed:
            say(page, "Hello?")
            page.wait_for_selector(".machine >> text=One sentence.")
        page.click("#mute" if typed else "#orb")
        state(page, "ready")
        area = page.locator("#center").bounding_box()
        assert area["width"] >= 150
        assert area["height"] >= 150
        for across, down in ((0.1, 0.2), (0.9, 0.8), (0.5, 0.97)):
            x, y = area["x"] + across * area["width"], area["y"] + down * area["height"]
            assert page.evaluate("([x, y]) => document.elementFromPoint(x, y).id", [x, y]) == "orb"
        page.mouse.move(area["x"] + 0.1 * area["width"], area["y"] + 0.2 * area["height"])
        page.mouse.down()
        state(page, "hearing")
        page.mouse.up()


def test_words_run_in_the_direction_of_their_language(browser: Any) -> None:
    with ScriptedWebServer() as server:
        server.llm._replies = ["أنا بخير، شكرا لك."]
        page = open_page(browser, server, [])
        for text, direction in (("كيف حالك اليوم؟", "rtl"), ("How are you?", "ltr")):
            page.fill("#text", text)
            assert (
                page.eval_on_selector("#text", "(one) => getComputedStyle(one).direction") == direction
            )
            page.press("#text", "Enter")
            page.wait_for_selector(f".you p:has-text('{text}')")
        page.wait_for_selector(".machine p >> text=أنا")
        directions = page.eval_on_selector_all(
            "#transcript p", "(all) => all.map((one) => getComputedStyle(one).direction)"
        )
        assert directions[0] == "rtl"
        assert "ltr" in directions


SHAPES = """async () => {
  const { WORDS } = await import("/web/state.js");
  const orb = document.querySelector("#orb");
  return Object.keys(WORDS).map((state) => {
    orb.dataset.state = state;
    const parts = [...orb.querySelector("svg").children].map((part) => [part, getComputedStyle(part)]);
    const seen = parts.filter(([, style]) => style.display !== "none");
    return seen.map(([part, style]) =>
      [part.getAttribute("class"), style.strokeWidth, style.strokeDasharray, style.scale].join(" "));
  });
}"""


def test_each_state_has_a_shape_of_its_own(browser: Any) -> None:
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [])
        shapes = [tuple(shape) for shape in page.evaluate(SHAPES)]
    assert len(set(shapes)) == len(shapes)


@pytest.mark.parametrize(("wish", "moves"), [("reduce", False), ("no-preference", True)])
def test_motion_is_a_wish(browser: Any, wish: str, moves: bool) -> None:
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [], reduced_motion=wish)
        animations = page.evaluate(
            """() => ["connecting", "listening", "waiting", "thinking"].map((state) => {
              document.querySelector("#orb").dataset.state = state;
              return document.getAnimations().filter((one) => one instanceof CSSAnimation).length > 0;
            })"""
        )
    assert animations == [moves] * 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_borders_and_texts_stand_out(browser: Any, scheme: str) -> None:
    """Contrast by WCAG: 3:1 for the borders of controls, 4.5:1 for texts."""
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [], color_scheme=scheme)
        contrasts = page.evaluate(
            """() => {
              const shown = (name) => {
                const probe = document.createElement("i");
                probe.style.color = name === "white" ? name : `var(--${name})`;
                document.body.append(probe);
                const [r, g, b] = getComputedStyle(probe).color.match(/[\\d.]+/g).map(Number);
                const linear = (c) => (c <= 10 ? c / 3294.6 : ((c / 255 + 0.055) / 1.055) ** 2.4);
                return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
              };
              const contrast = (one, other) => {
                const [dark, light] = [shown(one), shown(other)].sort((a, b) => a - b);
                return (light + 0.05) / (dark + 0.05);
              };
              const surfaces = ["back", "card"];
              const pairs = {
                line: surfaces, accent: surfaces, bad: surfaces, "on-accent": ["accent"], white: ["end"],
                text: [...surfaces, "you"], soft: [...surfaces, "you"],
              };
              return Object.entries(pairs).flatMap(([name, others]) =>
                others.map((other) => [name, other, contrast(name, other)]));
            }"""
        )
    wanted = {"line": 3.0, "accent": 3.0}
    assert [found for found in contrasts if found[2] < wanted.get(found[0], 4.5)] == []
