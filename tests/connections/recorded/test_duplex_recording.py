"""A full-duplex model and recordings: as input, of both sides, and replayed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from arguments_classes.file_arguments import FileArguments
from connections.recorded.archive import Archive
from connections.recorded.file import FileConnection
from connections.recorded.session_folder import SessionFolder
from engines.engines import Engines
from pipeline.clock import Clock
from pipeline.errors import EngineError
from pipeline.session import Session
from pipeline.settings import SessionSettings
from pipeline.sink import Sink
from s2s_pipeline import build_pipeline
from testing.duplex import RATE_HZ, FakeDuplexModel, duplex_engines
from tests.socket_clients import (
    wait_for,
)
from utils.shutdown import StopRequest


@pytest.fixture
def model() -> FakeDuplexModel:
    return FakeDuplexModel()


def ramp(seconds: float, rate_hz: int) -> Any:
    """A tone that gets louder, so that each moment sounds different, and silence after it."""
    time_s = np.arange(int(seconds * rate_hz)) / rate_hz
    tone = np.sin(2 * np.pi * 300 * time_s) * np.linspace(0.05, 0.8, len(time_s))
    return np.concatenate((tone, np.zeros(rate_hz))).astype(np.float32)


def converse(engines: Engines, source: Path, folder: Path, record: Path | None = None) -> dict[str, Any]:
    """Run file mode over a recording; returns its transcript."""
    arguments = FileArguments(input=str(source), output=str(folder / "reply.wav"))
    connection = FileConnection(arguments, StopRequest())
    archive = None if record is None else Archive(record)

    def open_session(sink: Sink, label: str, clock: Clock | None = None) -> Session:
        recorder = None if archive is None else archive.keep(sink, label)
        session = build_pipeline(engines, recorder or sink, settings=SessionSettings(), clock=clock)
        if recorder is not None:
            recorder.attach(session)
        return session

    assert connection.run(open_session, engines.capabilities) == 0
    if archive is not None:
        archive.close()
    transcript: dict[str, Any] = json.loads((folder / "reply.transcript.json").read_text("utf-8"))
    return transcript


def lag_ms(stereo: Any, rate_hz: int) -> float:
    """The delay of the right channel, at the highest correlation."""
    left, right = stereo[:, 0], stereo[:, 1]
    size = 1 << (2 * len(left)).bit_length()
    spectrum = np.fft.rfft(right, size) * np.conj(np.fft.rfft(left, size))
    return 1000 * float(np.argmax(np.fft.irfft(spectrum, size)[: len(left)])) / rate_hz


def test_a_recording_in_and_both_sides_out_and_a_replay(model: FakeDuplexModel, tmp_path: Path) -> None:
    source, engines = tmp_path / "question.wav", duplex_engines(model)
    soundfile.write(source, ramp(5, RATE_HZ), RATE_HZ)
    transcript = converse(engines, source, tmp_path, tmp_path / "kept")
    assert transcript["errors"] == []
    assert [turn["reason"] for turn in transcript["turns"]] == ["complete"]
    assert transcript["turns"][0]["heard"] == "0 10 20 30 40 50 60"
    both, rate_hz = soundfile.read(tmp_path / "reply.conversation.wav")
    assert 158 <= lag_ms(both, rate_hz) <= 200, "two frames, and the wait for a block of 32 ms"
    reply, _ = soundfile.read(tmp_path / "reply.wav")
    assert np.abs(reply).max() == pytest.approx(0.8, abs=0.05)

    (kept,) = (tmp_path / "kept").iterdir()
    (tmp_path / "again").mkdir()
    wait_for(lambda: engines.places.free == 1, "the end of the first conversation")
    again = converse(engines, kept, tmp_path / "again", tmp_path / "again/kept")
    assert again["turns"][0]["heard"] == transcript["turns"][0]["heard"]
    repeated, _ = soundfile.read(tmp_path / "again/reply.conversation.wav")
    assert lag_ms(repeated, rate_hz) == pytest.approx(lag_ms(both, rate_hz), abs=33)
    (repeated_kept,) = (tmp_path / "again/kept").iterdir()
    first, second = SessionFolder(kept), SessionFolder(repeated_kept)
    assert first.end == second.end == 6 * RATE_HZ, "the silence of the end is not fed a second time"
    engines.close()


def test_a_recording_of_a_client_too_many_is_not_begun(model: FakeDuplexModel) -> None:
    engines = duplex_engines(model)
    engines.places.expect_free()
    engines.places.take()
    with pytest.raises(EngineError, match="its model holds 1 conversation at once"):
        engines.places.expect_free()
    engines.places.release()
    engines.places.expect_free()
