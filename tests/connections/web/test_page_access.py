"""Accessibility of the panels, measured in a real browser: names, targets, contrast."""

from collections.abc import Iterator
from typing import Any

import pytest

from testing.server import ScriptedWebServer
from tests.connections.web.browser import CHROMIUM
from tests.connections.web.panels import INFO, open_panels

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

SIZES = [(1440, 900), (390, 844), (844, 390)]
CONTROLS = {
    "button", "checkbox", "combobox", "radio", "radiogroup", "searchbox", "slider", "textbox", "meter",
    "progressbar", "dialog", "alertdialog", "DisclosureTriangle",
}  # fmt: skip

FILL = """async (info) => {
  const { settings, details, card, trouble } = panels;
  settings.offer(info);
  details.offer(info);
  details.turnDone({ latency: { total_ms: 310, silence_ms: 290, stt_ms: 20 } });
  card.offer(info, "");
  for (const disclosure of document.querySelectorAll("details")) disclosure.open = true;
  const run = () => {};
  const secret = { label: "Token", action: "Connect", run };
  trouble.show({ title: "The microphone is blocked", action: { label: "Type instead", run }, secret });
  settings.refuse("language", "This server does not have this language.");
  settings.open();
  document.getElementById("setting-voice").click();
}"""

TARGETS = """() => [...document.querySelectorAll("button, select, input, textarea, summary")]
  .filter((one) => one.checkVisibility())
  .map((one) => (one.type === "radio" ? one.closest("label") : one))
  .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
  .filter(([_, box]) => box.width < 44 || box.height < 44)
  .map(([html]) => html)"""

CONTRASTS = """(selectors) => {
  const channels = (color) => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d");
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (color) => {
    const [red, green, blue] = channels(color).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = getComputedStyle(one).backgroundColor;
      if (channels(color)[3] === 255) return color;
    }
    return "white";
  };
  const found = [];
  for (const element of document.querySelectorAll(selectors)) {
    if (!element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const name = `${element.tagName}.${element.className}#${element.id}`;
    if (style.borderTopStyle !== "none" && channels(style.borderTopColor)[3]) {
      const ratio = contrast(style.borderTopColor, behind(element.parentElement));
      found.push([`border of ${name}`, ratio, 3]);
    }
    const texts = [...element.childNodes].filter((one) => one.nodeType === Node.TEXT_NODE);
    const words = texts.some((one) => one.data.trim());
    if (words && !element.matches(":disabled")) {
      found.push([`text of ${name}`, contrast(style.color, behind(element)), 4.5]);
    }
  }
  return found;
}"""


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedWebServer]:
    with ScriptedWebServer() as server:
        yield server


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def page(request: pytest.FixtureRequest, browser: Any, server: ScriptedWebServer) -> Any:
    width, height = request.param
    page = open_panels(browser, server, [], viewport={"width": width, "height": height})
    page.evaluate(FILL, INFO)
    return page


def test_every_control_has_a_name(browser: Any, server: ScriptedWebServer) -> None:
    page = open_panels(browser, server, [])
    page.evaluate(FILL, INFO)
    with_settings = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")
    page.evaluate("panels.settings.close(); panels.details.toggle()")
    with_details = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")
    nodes = with_settings["nodes"] + with_details["nodes"]
    controls = [node for node in nodes if not node["ignored"] and node["role"]["value"] in CONTROLS]
    assert len(controls) > 30
    assert [node for node in controls if not node["name"]["value"].strip()] == []


def test_targets_are_large_enough_for_a_finger(page: Any) -> None:
    assert page.evaluate(TARGETS) == []
    page.evaluate("panels.settings.close(); panels.details.toggle()")
    assert page.evaluate(TARGETS) == []


def test_nothing_is_wider_than_the_screen(page: Any) -> None:
    wide = """[...document.querySelectorAll("dialog[open] .sheet-body, #card")]
        .filter((one) => one.scrollWidth > one.clientWidth).length"""
    assert page.evaluate(wide) == 0
    page.evaluate("panels.settings.close(); panels.details.toggle()")
    assert page.evaluate(wide) == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_borders_and_words_stand_out(browser: Any, server: ScriptedWebServer, theme: str) -> None:
    page = open_panels(browser, server, [], color_scheme=theme)
    page.evaluate(FILL, INFO)
    everything = "dialog :not(header), #card :not(.offer), #trouble *, #card"  # but for lines between
    measured = page.evaluate(CONTRASTS, everything)
    page.evaluate("panels.settings.close(); panels.details.toggle()")
    measured += page.evaluate(CONTRASTS, everything)
    borders = [ratio for name, ratio, _ in measured if name.startswith("border")]
    assert len(borders) > 20
    poor = [(name, round(ratio, 2)) for name, ratio, least in measured if ratio < least]
    assert not poor, poor


def test_nothing_moves_for_those_who_want_less_motion(browser: Any, server: ScriptedWebServer) -> None:
    page = open_panels(browser, server, [], reduced_motion="reduce")
    page.evaluate("panels.settings.open()")
    assert page.evaluate("document.getAnimations().length") == 0
