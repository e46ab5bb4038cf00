"""Bad sound of a model that listens while it speaks: silence takes its place, and the model goes on."""

import numpy as np
import pytest

from engines.engines import Duplex, Engines
from pipeline.clock import SampleClock
from pipeline.engine_info import DuplexInfo
from pipeline.errors import BadAudio
from pipeline.events import ErrorEvent
from pipeline.messages import Samples
from pipeline.settings import EndpointerSettings, SessionSettings
from pipeline.shared_engine import SharedEngine
from pipeline.sound_check import SoundCheck
from s2s_pipeline import build_pipeline
from testing.conversation import hear
from testing.fakes import RATE_HZ
from testing.sinks import RecordingSink
from tests.pipeline.test_sound_check import joined, level, tone


@pytest.mark.parametrize("text", [None, " word"])
def test_behind_a_clipped_second_the_next_good_piece_is_good(text: str | None) -> None:
    check = SoundCheck("made-up", may_rest=True)
    pieces = [np.sign(tone(0.08))] * 25 + [tone(0.08)] * 25
    heard = []
    for number, piece in enumerate(pieces):
        try:
            if text is not None and number >= 25:
                check.text_begins(text)
            check.take(piece, RATE_HZ)
            if text is not None and number >= 25:
                check.text_ends()
            heard.append(number)
        except BadAudio:
            pass
    assert heard == [*range(12), *range(25, 50)], "a second tells that it is clipped"


class Listener:
    """A full-duplex model that says these sounds, 20 ms at a time, and its own state."""

    info = DuplexInfo(name="made-up", sample_rate_hz=RATE_HZ, frame_samples=320)

    def __init__(self, *sounds: Samples) -> None:
        self._frames = list(joined(*sounds).reshape(-1, 320))

    def open(self, settings: SessionSettings) -> "Listener":
        return self

    def answer(self, frame: Samples) -> tuple[Samples, str | None]:
        return self._frames.pop(0), None

    def close(self) -> None: ...


def test_a_full_duplex_model_may_be_silent_and_recovers_from_bad_sound() -> None:
    silence, good = level(1, 0), tone(1)
    model = Listener(*[silence] * 15, good, *[-2 * np.sign(good)] * 3, good)
    engines = Engines(None, EndpointerSettings(), Duplex(SharedEngine(model)))
    clock = SampleClock(RATE_HZ)
    sink = RecordingSink(clock.now, full_duplex=True)
    session = build_pipeline(engines, sink, clock=clock)
    clock.on_advance(session.playout.wake)
    mail = session.events.subscribe()
    hear(session, clock, silence[:320], 20_000)
    session.close()
    assert session.join(60) == []
    events = list(iter(lambda: mail.fetch(0), None))
    (error,) = (event for event in events if isinstance(event, ErrorEvent))
    assert (error.stage, error.code) == ("s2s", "bad_audio")
    seconds = sink.audio(error.turn)[: 20 * RATE_HZ].reshape(-1, RATE_HZ)
    assert np.isfinite(seconds).all()
    loud = [number for number, second in enumerate(seconds) if np.abs(second).max() > 0.1]
    assert loud == [15, 16, 19]  # in its place in time; a second tells that sound is clipped
