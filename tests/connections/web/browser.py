"""A real browser: its path, its flags, and helpers for tests of the page."""

import shutil
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUESTION = "What is the weather like in London?"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update",
    "--disable-background-networking", "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
]  # fmt: skip
ALLOWED = "--use-fake-ui-for-media-stream"
PATIENCE_MS = 60_000

QUIET_ROOM = """(() => {
  const Context = AudioContext;
  navigator.mediaDevices.getUserMedia = async () => {
    const context = new Context();
    const [tone, loudness] = [new OscillatorNode(context), new GainNode(context, { gain: 0.01 })];
    const room = context.createMediaStreamDestination();
    tone.connect(loudness).connect(room);
    tone.start();
    window.loudness = loudness.gain;
    return room.stream;
  };
})();"""
"""A microphone in place of the browser's own, which hears a tone, too quiet for speech until a test sets
`loudness.value`. No test of something else is interrupted by what a user says."""


def launch(chromium: Any, flags: list[str]) -> Any:
    return chromium.launch(executable_path=CHROMIUM, headless=True, args=flags, timeout=PATIENCE_MS)


def open_page(
    browser: Any, server: Any, mistakes: list[str], *, asks: bool = False, **options: Any
) -> Any:
    """The page of a server. Its user is silent, or `asks` a question every seven seconds."""
    page = browser.new_page(**options)
    page.set_default_timeout(PATIENCE_MS)
    if not asks:
        page.add_init_script(QUIET_ROOM)
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    page.on("console", lambda m: mistakes.append(m.text) if m.type == "error" else None)
    page.goto(f"http://127.0.0.1:{server.port}/")
    return page


def state(page: Any, wanted: str) -> None:
    page.wait_for_selector(f"#state[data-state={wanted}]", state="attached")


def choose(page: Any, choice: str) -> None:
    """Choose in the settings, which are opened and closed again."""
    page.click("#show-settings")
    page.get_by_role("radio", name=choice).check()
    page.click("#settings >> text=Done")


def say(page: Any, text: str) -> None:
    """Type a message and send it."""
    page.fill("#text", text)
    page.press("#text", "Enter")


def figure(page: Any, name: str) -> float:
    shown: list[str] = page.inner_text("#figures").split("\n")
    return float(shown[shown.index(name) + 1].split()[0])
