"""The moving picture and the sound sample of the README: `python -m docs.media.make`

One conversation with the real program and its built-in parts, on the real page in Chromium, makes both.
The user (user.js) speaks with Piper's voice, raised in pitch. Needs the extra `dev` and a quiet machine,
and writes into docs/media/. SmolLM2 never answers twice the same, so look and listen before you commit.
"""

import base64
import io
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from PIL import Image
from playwright.sync_api import sync_playwright

from benchmarks.program import web_server
from pipeline.audio import resample
from pipeline.messages import AudioChunk
from pipeline.turn import CancelToken
from TTS.piper import PiperSynthesizer

FOLDER = Path(__file__).parent
PARTS = ("--preset", "offline")
QUESTION = "How does a rainbow form?"
INTERRUPTION = "Sorry, what is the capital of Italy?"
LISTENS_MS = 1500
"""Time for which the user listens to the first answer."""

RATE_HZ = 48000
PITCH = 1.22
"""Raises the voice by three and a half semitones; it also speaks faster by as much."""

WIDTH, HEIGHT = 720, 540
CAMERA = {"format": "jpeg", "quality": 92, "everyNthFrame": 6}
"""Ten frames a second: more, or PNG, would take the time that the program needs for its answer."""


@dataclass(frozen=True)
class Shot:
    """The page at one moment."""

    at_s: float
    jpeg: bytes


def said(text: str) -> str:
    """A sentence of the user, as a WAV file in base64."""
    spoken = PiperSynthesizer().synthesize(text, None, "en", CancelToken())
    chunks = [chunk for chunk in spoken if isinstance(chunk, AudioChunk)]
    rate_hz = round(PITCH * chunks[0].sample_rate_hz)
    samples = resample(np.concatenate([chunk.samples for chunk in chunks]), rate_hz, RATE_HZ)
    file = io.BytesIO()
    soundfile.write(file, samples, RATE_HZ, format="WAV")
    return base64.b64encode(file.getvalue()).decode()


def filmed(port: int) -> list[Shot]:
    """Talk on the page in front of the camera. Raises `RuntimeError` if no answer was cut off."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    flags = ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
    words = [said(QUESTION), said(INTERRUPTION), LISTENS_MS]
    shots: list[Shot] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, headless=True, args=flags)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.add_init_script(path=FOLDER / "user.js")
        page.goto(f"http://localhost:{port}/")
        page.get_by_role("button", name="Dismiss").click()
        camera = page.context.new_cdp_session(page)

        def keep(frame: dict[str, Any]) -> None:
            shots.append(Shot(time.monotonic(), base64.b64decode(frame["data"])))
            camera.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})

        camera.on("Page.screencastFrame", keep)
        camera.send("Page.startScreencast", CAMERA)
        page.wait_for_timeout(700)
        page.click("#orb")
        page.evaluate("talk", words)
        page.wait_for_timeout(800)
        camera.remove_listener("Page.screencastFrame", keep)
        transcript, cut = page.inner_text("#transcript"), page.locator("#transcript del").count()
        browser.close()
    if not cut:
        raise RuntimeError(f"expected an answer that is cut off, got:\n{transcript}\ntry again")
    print(transcript)
    return shots


def write_picture(shots: list[Shot], path: Path) -> None:
    """Write the shots as an animation, at their own pace."""
    ends = [*(shot.at_s for shot in shots[1:]), shots[-1].at_s + 2.0]
    durations = [round(1000 * (end - shot.at_s)) for shot, end in zip(shots, ends, strict=True)]
    images = [Image.open(io.BytesIO(shot.jpeg)).convert("RGB") for shot in shots]
    images[0].save(
        path, save_all=True, append_images=images[1:], duration=durations, loop=0, quality=70, method=4
    )
    print(
        f"{path}: {len(images)} frames, {sum(durations) / 1000:.1f} s, {path.stat().st_size // 1000} kB"
    )


def write_sound(session: Path, path: Path) -> None:
    """Mix what --record kept of the session: the user a little to the left, the program to the right."""
    both, rate_hz = soundfile.read(session / "conversation.wav", dtype="float32")
    mixed = both @ np.array([[0.8, 0.4], [0.4, 0.8]], np.float32)
    soundfile.write(path, mixed, rate_hz, format="MP3")
    print(f"{path}: {len(mixed) / rate_hz:.1f} s, {path.stat().st_size // 1000} kB")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        with web_server(*PARTS, "--record", folder) as port:
            write_picture(filmed(port), FOLDER / "conversation.webp")
        (session,) = (path for path in Path(folder).iterdir() if path.is_dir())
        write_sound(session, FOLDER / "conversation.mp3")


if __name__ == "__main__":
    main()
