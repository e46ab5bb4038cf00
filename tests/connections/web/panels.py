"""The panels of the page by themselves: a document that holds them, and what a server may tell them."""

from typing import Any

from connections.web.app import SECURITY_HEADERS
from tests.connections.web.browser import PATIENCE_MS

DOCUMENT = """<!doctype html>
<html lang="en"><meta name="viewport" content="width=device-width">
<link rel="icon" href="/web/icon.svg">
<link rel="stylesheet" href="/web/style.css"><link rel="stylesheet" href="/web/panels.css">
<body><main><button id="opener">Open</button><section id="card"></section><div id="trouble"></div></main>
<aside id="settings"></aside><aside id="details"></aside>"""

BUILD = """async () => {
  const kinds = { settings: "Settings", details: "Details", card: "FirstRunCard", trouble: "Trouble" };
  window.panels = {};
  for (const [name, kind] of Object.entries(kinds)) {
    const module = await import(`/web/${name}.js`);
    panels[name] = new module[kind](document.getElementById(name));
  }
  window.changes = [];
  panels.settings.addEventListener("change", ({ detail }) => changes.push(detail.name));
  document.getElementById("opener").onclick = () => panels.settings.toggle();
}"""

INFO: dict[str, Any] = {
    "program": {"name": "s2s-pipeline", "version": "1"},
    "private": True,
    "parts": [
        {
            "stage": stage, "name": name, "title": title, "about": about, "model": model,
            "languages": ["*"], "placeholder": placeholder, "host": None, "device": "cpu",
        }
        for stage, name, title, about, model, placeholder in (
            ("stt", "moonshine", "Moonshine tiny-en", "small and fast", "tiny-en", False),
            ("llm", "smollm2", "SmolLM2-135M", "SmolLM2-135M: very small", "SmolLM2-135M", True),
            ("tts", "piper", "Piper", "fast", None, False),
            ("tts", "espeak", "eSpeak", "a robot's voice", None, True),
        )
    ],
    "voices": [
        {"name": "Priya", "language": "te", "language_name": "Telugu"},
        {"name": "en-us", "language": "en", "language_name": "English"},
        {"name": "en-gb", "language": "en", "language_name": "English"},
        {"name": "mystery", "language": None, "language_name": None},
        {"name": "py", "language": "py", "language_name": "Unknown language [py]"},
    ],
    "voice": "en-us",
    "languages": [{"code": "te", "name": "Telugu"}, {"code": "en", "name": "English"}],
    "turn_taking": {"takes_turns": False, "takes_text": True, "patience": "normal"},
    "offers": [
        {
            "name": "qwen", "stage": "llm", "title": "Qwen", "about": "real answers",
            "size_bytes": 1_120_000_000, "license": "Apache-2.0", "command": "s2s get qwen",
            "state": "available", "progress": 0.0, "error": "",
        }
    ],
    "may_change": True,
}  # fmt: skip


def open_panels(browser: Any, server: Any, mistakes: list[str], **options: Any) -> Any:
    """A page of this server's origin that holds the panels, as `panels`."""
    page = browser.new_page(**options)
    page.set_default_timeout(PATIENCE_MS)
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    page.on("console", lambda m: mistakes.append(m.text) if m.type == "error" else None)
    page.route(
        "**/panels",
        lambda route: route.fulfill(body=DOCUMENT, content_type="text/html", headers=SECURITY_HEADERS),
    )
    load(page, server)
    return page


def load(page: Any, server: Any) -> None:
    """Load the page, or load it again."""
    page.goto(f"http://127.0.0.1:{server.port}/panels")
    page.evaluate(BUILD)


def values(page: Any) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate("panels.settings.values")
    return found


def for_server(page: Any) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate("panels.settings.forServer()")
    return found
