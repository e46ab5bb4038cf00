"""The page with end-to-end engines: bubbles without words, and a reply that has no end."""

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from engines.engines import Duplex, Engines
from pipeline.engine_info import DuplexInfo
from pipeline.events import SpeechEnded, SpeechStarted, TurnDone
from pipeline.messages import Samples
from pipeline.settings import SessionSettings
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from S2S.base import DuplexModel, Question, SpokenPiece
from S2S.tone import RATE_HZ, ToneResponder
from testing.server import ScriptedWebServer
from tests.connections.web.browser import CHROMIUM, choose, open_page, state
from tests.socket_clients import wait_for
from VAD.silero import SileroDetector

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")


class WordlessTone(ToneResponder):
    """An engine that answers with a tone and writes nothing."""

    def respond(self, question: Question, cancel: CancelToken) -> Iterator[SpokenPiece]:
        for piece in super().respond(question, cancel):
            yield dataclasses.replace(piece, text=None)


class Talker:
    """A full-duplex model that says a word for one second of every three, and is otherwise silent."""

    info = DuplexInfo(name="talker", sample_rate_hz=RATE_HZ, frame_samples=RATE_HZ // 10)

    def open(self, settings: SessionSettings) -> "Talker":
        self._frames = 0
        return self

    def answer(self, frame: Samples) -> tuple[Samples, str | None]:
        second, tenth = divmod(self._frames, 10)
        self._frames += 1
        speaks = second % 3 == 0
        level = 0.3 if speaks else 0.0
        samples = level * np.sin(np.arange(self.info.frame_samples, dtype=np.float32) / 5)
        return samples.astype(np.float32), f" word{second}" if speaks and tenth == 0 else None

    def close(self) -> None: ...


def duplex_server(model: DuplexModel) -> ScriptedWebServer:
    """The real server with a full-duplex model."""
    server = ScriptedWebServer()
    server._engines = Engines(None, server._engines.endpointing, Duplex(SharedEngine(model)))
    return server


RECORD_BUBBLES = """() => {
  window.seen = [];
  const list = document.getElementById("transcript");
  const look = new MutationObserver(() => seen.push(...[...list.children].map((one) => one.className)));
  look.observe(list, { attributes: true, childList: true, subtree: true });
}"""


def test_turns_without_words_are_bubbles_with_a_length(browser: Any) -> None:
    mistakes: list[str] = []
    with ScriptedWebServer(vad=SileroDetector(), s2s=WordlessTone()) as server:
        page = open_page(browser, server, mistakes, asks=True)
        page.evaluate(RECORD_BUBBLES)
        page.click("#orb")
        wait_for(lambda: bool(server.sessions), "the session")
        mail = server.sessions[0].events.subscribe()
        page.wait_for_selector(".machine.voice:not(.live)")
        assert "machine voice live" in page.evaluate("seen")
        events = list(iter(lambda: mail.fetch(0), None))
        told: list[Any] = [
            next(event for event in events if isinstance(event, kind))
            for kind in (SpeechStarted, SpeechEnded, TurnDone)
        ]
        begun, ended, done = told
        spoken = page.inner_text(".you.voice")
        said_s = (ended.speech_end_sample - begun.sample) / 16000
        assert float(spoken.split()[-2]) == pytest.approx(said_s, abs=0.1)
        replied = page.inner_text(".machine.voice")
        replied_s = done.marks["heard_to"] - done.marks["first_audio"]
        assert float(replied.split()[-2]) == pytest.approx(replied_s, abs=0.1)
        state(page, "listening")
        assert page.is_hidden("#typed")
        page.click("#show-details")
        page.wait_for_selector(".waterfall li >> text=Waited")
    assert mistakes == []


def test_words_of_one_side_only(browser: Any) -> None:
    with ScriptedWebServer(vad=SileroDetector(), s2s=ToneResponder()) as server:
        page = open_page(browser, server, [], asks=True)
        page.click("#orb")
        page.wait_for_selector(".machine >> text=TEST TONE")
        kinds = page.eval_on_selector_all("#transcript li", "(all) => all.map((one) => one.className)")
        assert kinds == ["you voice", "machine"]


def test_a_reply_while_the_user_speaks(browser: Any) -> None:
    """The length of the user's speech is shown once it is known, and then the page stops saying
    "thinking"."""
    with ScriptedWebServer(vad=SileroDetector(), s2s=ToneResponder()) as server:
        page = open_page(browser, server, [], asks=True)
        page.evaluate(
            """() => {
              window.seen = [];
              const state = document.getElementById("state");
              const look = new MutationObserver(() => seen.push(state.dataset.state));
              look.observe(state, { attributes: true });
            }"""
        )
        choose(page, "Live interpreting")
        page.click("#orb")
        page.wait_for_selector(".you.voice.live")
        page.wait_for_selector(".you.voice:not(.live)")
        state(page, "listening")
        assert "thinking" not in page.evaluate("seen")


def test_a_model_that_takes_turns_itself(browser: Any) -> None:
    mistakes: list[str] = []
    with duplex_server(Talker()) as server:
        page = open_page(browser, server, mistakes)
        page.click("#orb")
        state(page, "speaking")
        state(page, "listening")
        page.wait_for_selector(".machine p >> nth=2")
        spoken = page.eval_on_selector_all(".machine p", "(all) => all.map((one) => one.innerText)")
        assert all(re.fullmatch(r"word\d+", words) for words in spoken), "a paragraph for each pause"
        # A busy machine leaves frames out, with their words, and says so; then a new bubble begins.
        assert page.locator(".machine + .machine, .you").count() == 0, "one bubble, none of the user"
        page.click("#show-settings")
        assert page.get_by_role("radio", name="Live interpreting").is_disabled()
        page.click("#settings >> text=Done")
        page.click("#end")
        state(page, "off")
    assert mistakes == []


def test_words_that_come_late_and_answers_that_are_cut(browser: Any) -> None:
    """The events come in the order in which real models cause them, and go to the page directly."""
    with ScriptedWebServer() as server:
        page = open_page(browser, server, [])
        shown = page.evaluate(
            """async () => {
              const { Transcript } = await import("/web/transcript.js");
              const list = document.createElement("ol");
              document.body.append(list);
              const kept = () => [...list.children].map((one) => `${one.className}: ${one.textContent}`);
              const transcript = new Transcript(list);
              transcript.speechStarted(1);
              transcript.speechEnded(2.5);
              transcript.committed({ turn: 1, origin: "speech" });
              transcript.replyStarted(1);
              const before = kept();
              transcript.said({ turn: 1, text: "What I said." });
              const marks = { first_audio: 1, heard_to: 3 };
              transcript.done({ turn: 1, state: "interrupted", heard: "", marks });
              transcript.flows = true;
              for (const text of ["One", " two."]) transcript.reply({ turn: 2, text }, 0);
              transcript.said({ turn: 2, text: "And I?" });
              transcript.reply({ turn: 2, text: " Three." }, 0);
              transcript.done({ turn: 2, state: "interrupted", heard: "One tw", marks: {} });
              const cut = [...list.querySelectorAll("del")].map((one) => one.innerText);
              return { before, after: kept(), cut };
            }"""
        )
    assert shown["before"] == ["you voice: You spoke for 1.5 s", "machine voice live: Speaking …"]
    assert [line.split(": ")[0] for line in shown["after"]] == [
        "you", "machine voice", "machine", "you", "machine"
    ]  # fmt: skip
    assert shown["after"][0] == "you: You said: What I said."
    assert "2.0 s" in shown["after"][1]
    assert shown["cut"] == ["…", "o.", "Three."]


def test_a_turn_that_failed_shows_that_the_user_spoke(browser: Any) -> None:
    class Broken(ToneResponder):
        def respond(self, question: Question, cancel: CancelToken) -> Iterator[SpokenPiece]:
            raise ValueError("its fuse has blown")

    with ScriptedWebServer(vad=SileroDetector(), s2s=Broken()) as server:
        page = open_page(browser, server, [], asks=True)
        page.click("#orb")
        page.wait_for_selector(".note.failed")
        kinds = page.eval_on_selector_all("#transcript li", "(all) => all.map((one) => one.className)")
        assert kinds == ["you voice", "note failed"]
        state(page, "listening")
