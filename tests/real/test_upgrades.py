"""From Piper to Kokoro and back while a user talks, on real weights."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalog.offers import Offer, find_offer
from command_line.parse import parse_command_line
from engines.engines import Engines
from engines.loader import load_engines
from engines.offer_state import OfferState
from engines.upgrades import Upgrades
from pipeline.clock import SampleClock
from pipeline.events import ErrorEvent, NoticeGiven, TurnDone
from pipeline.messages import Samples
from s2s_pipeline import build_pipeline
from STT.moonshine import MoonshineRecognizer
from testing.conversation import hear
from testing.hub_server import HubServer
from testing.sinks import RecordingSink
from tests.command import ROOT
from tests.real.sounds import text_of, words_wrong
from tests.real.test_kokoro import folder as kokoro_folder
from tests.speech import RATE_HZ
from TTS.kokoro import KokoroSynthesizer

folder = kokoro_folder
WAIT_S = 120.0

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def engines() -> Iterator[Engines]:
    arguments = parse_command_line(["--stt", "moonshine", "--llm", "eliza", "--tts", "piper,espeak"])
    engines = load_engines(arguments)
    yield engines
    engines.close()


class Listener:
    """A user who types, and hears the answers."""

    def __init__(self, engines: Engines) -> None:
        self.clock = SampleClock(RATE_HZ)
        self.sink = RecordingSink(self.clock.now)
        self.session = build_pipeline(engines, self.sink, clock=self.clock)
        self.clock.on_advance(self.session.playout.wake)
        self._mail = self.session.events.subscribe()
        self.events: list[Any] = []

    def wait(self) -> None:
        hear(self.session, self.clock, np.zeros(512, np.float32), 64)
        while (event := self._mail.fetch(0)) is not None:
            self.events.append(event)

    def say(self, text: str) -> Samples:
        """Have a text spoken; returns what was heard of it."""
        turn = self.session.say(text)
        while not any(isinstance(e, TurnDone) and e.turn == turn.number for e in self.events):
            self.wait()
        heard = [frame.samples for frame in self.sink.frames if frame.turn == turn.number]
        return np.concatenate(heard)


def test_the_voice_changes_in_mid_conversation_and_back(engines: Engines, folder: Path) -> None:
    offer = find_offer("kokoro")
    assert offer is not None
    patient = ("--failover_tts_s", "100")  # this machine may be busy
    arguments = parse_command_line(["--stt", "moonshine", "--llm", "eliza", *patient])

    def load(arguments: Any, offer: Offer) -> KokoroSynthesizer:
        return KokoroSynthesizer(str(folder))

    upgrades = Upgrades(engines, arguments, (offer,), fetch=lambda offer, on_progress: None, load=load)
    assert [state.state for state in upgrades.offers()] == ["available"]
    listener, recognizer = Listener(engines), MoonshineRecognizer()
    text = "My brother works in a large hospital near the river. She wrote a long letter."
    over, states = threading.Event(), list[OfferState]()

    def on_change(state: OfferState) -> None:
        states.append(state)
        if state.is_final:
            over.set()

    before = listener.say(text)
    upgrades.begin("kokoro", on_change)
    turn = listener.session.respond("Hello.")
    listener.wait()
    listener.session.interrupt("the test asks for it")
    while not over.is_set():
        listener.wait()
    listener.wait()
    assert (states[-1].state, states[-1].error) == ("in_use", "")
    after = listener.say(text)
    assert not any(isinstance(event, NoticeGiven) for event in listener.events), "Kokoro itself speaks"
    assert upgrades.undo("kokoro").state == "available"
    again = listener.say(text)
    for heard in (before, after, again):
        assert words_wrong([text], [text_of(recognizer, heard)]) < 0.2
    assert abs(len(before) - len(again)) < RATE_HZ, "Piper varies a little"
    assert _spectrum_differs(before, after)
    assert [event for event in listener.events if isinstance(event, ErrorEvent)] == []
    assert any(isinstance(e, TurnDone) and e.turn == turn.number for e in listener.events)
    listener.session.close("the test is over")
    assert listener.session.join(WAIT_S) == []


def _spectrum_differs(one: Samples, other: Samples) -> bool:
    """True if two voices have their energy at other pitches: their spectra below 400 Hz differ."""

    def low(samples: Samples) -> Samples:
        power = np.abs(np.fft.rfft(samples, 1 << 20)) ** 2
        bands = power[: int(400 / (RATE_HZ / 2) * len(power))].reshape(-1)
        parts = np.array([part.sum() for part in np.array_split(bands, 16)])
        return np.asarray(parts / parts.sum(), np.float32)

    return bool(np.abs(low(one) - low(other)).sum() > 0.3)


_TAKE = """
import threading, sys
from catalog.choice import choose
from command_line.parse import parse_command_line
from engines.loader import load_engines
from engines.upgrades import Upgrades

arguments = parse_command_line(["--stt", "moonshine", "--llm", "eliza"])
engines = load_engines(arguments)
upgrades = Upgrades(engines, arguments)
over = threading.Event()
shares = []
def on_change(state):
    shares.append(state.progress)
    if state.is_final:
        print(state.state, state.error)
        over.set()
upgrades.begin("kokoro", on_change)
over.wait()
print(shares == sorted(shares), len(set(shares)) > 5)
print(engines.capabilities.voices[0])
engines.close()
print([choice.spec.name for choice in choose("tts", [])])
"""


def test_an_offer_of_the_hub_is_downloaded_used_and_found_by_the_next_start(
    folder: Path, tmp_path: Path
) -> None:
    """From a hub on this machine, whose model has the names of the real one."""
    offer = find_offer("kokoro")
    assert offer is not None
    model = tmp_path / "models" / offer.model
    (model / "onnx").mkdir(parents=True)
    (model / "voices").mkdir()
    shutil.copy(next(folder.glob("*.onnx")), model / "onnx" / "model_quantized.onnx")
    with np.load(folder / "voices.npz") as styles:
        for name in styles.files:
            voice = name.replace("af_alpha", "af_heart")
            styles[name].astype(np.float32).tofile(model / "voices" / f"{voice}.bin")
    with HubServer(tmp_path / "models") as hub:
        environment = os.environ | {"HF_HOME": str(tmp_path / "cache"), "HF_ENDPOINT": hub.url}
        command = [sys.executable, "-c", _TAKE]
        ended = subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=500, check=False
        )
    assert ended.stdout.splitlines() == ["in_use ", "True True", "af_heart", "['kokoro', 'espeak']"], (
        ended.stdout + ended.stderr
    )
