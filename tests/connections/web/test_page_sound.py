"""The page's sound: a microphone that is silent, an interruption by the system, the loudness."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import connections.access.client_registry
from testing.server import ScriptedWebServer
from tests.connections.web.browser import ALLOWED, CHROMIUM, FLAGS, launch, open_page, say, state
from tests.connections.web.test_page import LONG
from tests.connections.web.tunnel import Tunnel

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")


RECORD_GAINS = """() => {
  window.gains = [];
  const post = MessagePort.prototype.postMessage;
  MessagePort.prototype.postMessage = function (message, ...others) {
    if (message?.order === "duck") gains.push(message.gain);
    return post.call(this, message, ...others);
  };
}"""


def test_a_new_session_is_as_loud_as_the_first(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections.access.client_registry, "GRACE_S", 0.0)
    with ScriptedWebServer() as server:
        server.llm._replies = [LONG]
        tunnel = Tunnel(server.port)
        page = open_page(browser, tunnel, [])
        page.evaluate(RECORD_GAINS)
        say(page, "Are you there?")
        state(page, "speaking")
        server.sessions[0].playout.duck()
        page.wait_for_function("() => gains.at(-1) < 1")
        tunnel.cut()
        page.wait_for_selector(".divider >> text=earlier turns are not remembered")
        page.wait_for_function("() => gains.at(-1) === 1")
        tunnel.close()


def test_a_microphone_from_which_nothing_comes(chromium: Any, tmp_path: Path) -> None:
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros(48000), 48000, subtype="PCM_16")
    flags = [*FLAGS, ALLOWED, f"--use-file-for-fake-audio-capture={silent}"]
    browser = launch(chromium, flags)
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [], asks=True)
        page.clock.install()
        page.click("#orb")
        state(page, "listening")
        page.clock.fast_forward(7000)
        page.wait_for_selector("#trouble >> text=I hear nothing from")
        page.click("#trouble >> text=Choose another")
        page.wait_for_selector("#settings >> text=Microphone")
    browser.close()


def test_a_microphone_that_was_heard_is_not_asked_about(browser: Any) -> None:
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [])
        page.clock.install()
        page.evaluate(
            """async () => {
              const { Silence } = await import("/web/silence.js");
              window.reports = [];
              window.silence = new Silence((silent) => reports.push(silent));
              silence.hear(0.2); // while the connection opens
              silence.watch();
            }"""
        )
        page.clock.fast_forward(7000)
        assert page.evaluate("reports") == []
        page.evaluate("() => { silence.end(); silence.watch(); silence.hear(0); }")
        page.clock.fast_forward(7000)
        assert page.evaluate("reports") == [True], "another conversation"
        page.evaluate("silence.hear(0.2)")
        assert page.evaluate("reports") == [True, False]


QUIET_MICROPHONE = """() => {
  navigator.mediaDevices.getUserMedia = async () => {
    const context = new AudioContext();
    window.loudness = new GainNode(context, { gain: 0 });
    const tone = new OscillatorNode(context);
    const stream = context.createMediaStreamDestination();
    tone.connect(loudness).connect(stream);
    tone.start();
    return stream.stream;
  };
}"""


def test_a_microphone_that_is_heard_at_last_takes_no_other_card_away(browser: Any) -> None:
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [])
        page.evaluate(QUIET_MICROPHONE)
        page.clock.install()
        page.click("#orb")
        state(page, "listening")
        page.clock.fast_forward(7000)
        page.wait_for_selector("#trouble >> text=I hear nothing from")
        session = server.sessions[0]
        session.capabilities = dataclasses.replace(session.capabilities, texts=False)
        say(page, "Are you there?")
        page.wait_for_selector("#trouble >> text=The server refused that")
        page.wait_for_selector(".unsent >> text=Not sent")
        page.click("#show-settings")
        page.evaluate("loudness.gain.value = 0.5")
        page.wait_for_function("() => document.querySelector('#settings meter').value > 0.1")
        assert page.is_visible("#trouble >> text=The server refused that")


KEEP_CONTEXTS = """() => {
  window.contexts = [];
  const Original = AudioContext;
  window.AudioContext = class extends Original {
    constructor(...options) {
      super(...options);
      contexts.push(this);
    }
  };
}"""


def test_sound_that_the_system_interrupts_goes_on(browser: Any) -> None:
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [])
        page.evaluate(KEEP_CONTEXTS)
        page.click("#orb")
        state(page, "listening")
        page.evaluate("contexts[0].suspend()")
        page.wait_for_function("() => contexts[0].state === 'running'")
        page.click("#end")
        state(page, "off")
        page.wait_for_function("() => contexts[0].state === 'closed'")
