"""The Realtime protocol over WebRTC in a real browser, following OpenAI's documentation."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
import soundfile

from pipeline.audio import resample
from testing.server import ScriptedWebServer
from tests.command import ROOT
from tests.connections.web.browser import ALLOWED, CHROMIUM, FLAGS, PATIENCE_MS
from tests.socket_clients import wait_for
from tests.speech import silence, spoken
from VAD.silero import SileroDetector

pytest.importorskip("aiortc", reason="aiortc is not installed: pip install -e '.[webrtc]'")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

TOKEN = "the token"
KIT = (
    ROOT / "tests/agents/node_modules/@openai/agents-realtime/dist/bundle/openai-realtime-agents.umd.js"
)

CALL = """async (key) => {
  const pc = window.pc = new RTCPeerConnection()
  window.events = []
  const audio = document.createElement("audio")
  audio.autoplay = true
  pc.ontrack = (event) => { audio.srcObject = event.streams[0] }
  const media = await navigator.mediaDevices.getUserMedia({ audio: true })
  pc.addTrack(media.getTracks()[0])
  const channel = window.channel = pc.createDataChannel("oai-events")
  channel.addEventListener("message", (event) => window.events.push(JSON.parse(event.data).type))
  const offer = await pc.createOffer()
  await pc.setLocalDescription(offer)
  const response = await fetch("/v1/realtime/calls", {
    method: "POST",
    body: offer.sdp,
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/sdp" },
  })
  await pc.setRemoteDescription({ type: "answer", sdp: await response.text() })
  return [response.status, response.headers.get("Location")]
}"""

HEARD = """async () => {
  let energy = 0
  for (const report of (await window.pc.getStats()).values())
    if (report.type === "inbound-rtp") energy = report.totalAudioEnergy
  return energy
}"""


AGENT = """async ([key, baseUrl]) => {
  const { RealtimeAgent, RealtimeSession, OpenAIRealtimeWebRTC } = window.OpenAIAgentsRealtime
  const transport = new OpenAIRealtimeWebRTC({ baseUrl })
  const agent = new RealtimeAgent({ name: "A", instructions: "Be brief." })
  window.session = new RealtimeSession(agent, { transport, model: "any" })
  window.events = []
  transport.on("*", (event) => window.events.push(event.type))
  window.session.on("error", (error) => window.events.push("error"))
  await window.session.connect({ apiKey: key })
  return transport.callId
}"""


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Any]:
    """A browser with a user who asks the same question every six seconds."""
    said = np.concatenate((silence(500), spoken("What is the weather like in London?"), silence(4000)))
    microphone = tmp_path / "said.wav"
    soundfile.write(microphone, resample(said, 16000, 48000), 48000, subtype="PCM_16")
    flags = [*FLAGS, ALLOWED, f"--use-file-for-fake-audio-capture={microphone}"]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, headless=True, args=flags)
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        yield page
        browser.close()


def until(page: Any, holds: str) -> None:
    """A replacement for `wait_for_function`, which the page's security policy forbids."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not page.evaluate(holds):
        assert time.monotonic() < deadline, f"expected {holds}"
        page.wait_for_timeout(50)


def client_secret(place: str) -> str:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return str(
        httpx2.post(f"{place}/v1/realtime/client_secrets", headers=headers, timeout=60).json()["value"]
    )


def test_it_asks_and_hears_the_answer(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connections.realtime.webrtc.LAST_EVENTS_S", PATIENCE_MS / 1000)
    with ScriptedWebServer(vad=SileroDetector(), token=TOKEN) as server:
        server.tts.tone = 0.4
        place = f"http://127.0.0.1:{server.port}"
        page.goto(f"{place}/health")
        status, location = page.evaluate(CALL, client_secret(place))
        assert status == 201
        assert location.startswith("/v1/realtime/calls/rtc_")
        until(page, "window.events.includes('output_audio_buffer.stopped')")
        events = page.evaluate("window.events")
        assert events[0] == "session.created"
        assert events.index("output_audio_buffer.started") < events.index("response.done")
        until(page, f"({HEARD})().then((energy) => energy > 0.001)")
        assert len(server.stt.heard) >= 1
        assert np.max(np.abs(server.stt.heard[0])) > 0.1
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert httpx2.post(f"{place}{location}/hangup", headers=headers, timeout=60).status_code == 200
        until(page, "window.channel.readyState === 'closed'")
        assert page.evaluate("window.events.at(-1)") == "error"


@pytest.mark.skipif(not KIT.is_file(), reason="@openai/agents is not installed (make agents)")
def test_the_kit_of_openai_for_voice_agents(page: Any) -> None:
    with ScriptedWebServer(vad=SileroDetector(), token=TOKEN) as server:
        server.tts.tone = 0.4
        server.llm._replies = ["One sentence that takes a while to say. " * 40]
        place = f"http://127.0.0.1:{server.port}"
        page.route("**/kit.js", lambda route: route.fulfill(path=KIT, content_type="text/javascript"))
        page.goto(f"{place}/health")
        page.add_script_tag(url=f"{place}/kit.js")
        call = page.evaluate(AGENT, [client_secret(place), f"{place}/v1/realtime/calls"])
        assert call.startswith("rtc_")
        until(page, "window.events.includes('output_audio_buffer.started')")
        page.evaluate("window.session.interrupt()")
        until(page, "window.events.includes('output_audio_buffer.cleared')")
        until(page, "window.session.history[1]?.status === 'incomplete'")
        assert page.evaluate("window.session.history[0].content[0].transcript") == "words"
        assert "error" not in page.evaluate("window.events")
        page.evaluate("window.session.close()")
        wait_for(lambda: server.sessions[0].state.value == "closed", "the end of the session")
