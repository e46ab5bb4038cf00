"""Local mode on simulated devices, whose time the test advances."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from arguments_classes.local_arguments import LocalArguments
from connections.local import sound_port
from connections.local.audio_streamer import LocalAudioStreamer
from connections.local.sound_end import RATES_HZ
from pipeline.activity import Activity
from pipeline.audio import Framer
from pipeline.channel import Channel
from pipeline.clock import MonotonicClock
from pipeline.errors import EngineError, UserError
from pipeline.gate import Gate
from pipeline.intake import Intake
from pipeline.mailbox import Mailboxes
from pipeline.messages import Samples
from pipeline.resampler import Resampler
from pipeline.sink import Frame, Sink
from testing.portaudio import Device, PortAudio
from tests.connections.local.tones import tone
from utils.shutdown import StopRequest

RATE_HZ = 16000
VOICE_HZ = 22050
ALL = (*RATES_HZ,)
FLAGS = LocalArguments(echo_cancellation=False)


def mic(*rates: int, **fields: Any) -> Device:
    return Device("Mic", inputs=max(fields.get("channels", (1,))), rates=rates, **fields)


def speaker(*rates: int, **fields: Any) -> Device:
    return Device("Speaker", outputs=max(fields.get("channels", (2,))), rates=rates, **fields)


def plug_in(monkeypatch: pytest.MonkeyPatch, *devices: Device) -> PortAudio:
    audio = PortAudio(*devices)
    monkeypatch.setitem(sys.modules, "sounddevice", audio)
    monkeypatch.setattr(sound_port, "PAUSE_S", 0.0)
    for device in devices:
        device.played.clear()
        device.error = None
    return audio


class Talk:
    """Stands in for a session: a real intake, and a voice that speaks as soon as there is room."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        channel: Channel[Any] = Channel(None, Activity())
        gate, clock, events = Gate(), MonotonicClock(), Mailboxes()
        self._windows = channel
        self._intake = Intake(channel, gate, clock, events, RATE_HZ, 512)
        self.feed = self._intake.feed
        self._resampler = Resampler(VOICE_HZ, sink.rate_hz)
        self._frames = Framer(sink.frame_samples)
        self._waiting: list[Samples] = []
        self._spoken = 0
        self.reports: list[tuple[str, EngineError]] = []
        self.playout = self
        self.wake()

    def wake(self) -> None:
        while self._sink.room_at(0.0) <= 0.0:
            while not self._waiting:
                block = tone((self._spoken + np.arange(1000)) / VOICE_HZ).astype(np.float32)
                self._spoken += len(block)
                self._waiting += self._frames.feed(self._resampler.feed(block))
            self._sink.play(Frame(1, 0, self._waiting.pop(0)))

    def heard(self) -> Samples:
        """All audio so far, at the rate of the recognizer."""
        windows: list[Any] = [self._windows.get(0) for _ in range(len(self._windows))]
        return np.concatenate([window.samples for window in windows])

    def report(self, stage: str, error: EngineError) -> None:
        self.reports.append((stage, error))

    def close(self, reason: str) -> None: ...

    def join(self, timeout_s: float) -> None: ...


class Local:
    """Local mode on a thread, on devices whose time the test advances."""

    def __init__(self, audio: PortAudio, arguments: LocalArguments = FLAGS) -> None:
        self._audio = audio
        self._shutdown = StopRequest()
        self._streamer = LocalAudioStreamer(arguments, self._shutdown)
        self.talk: Talk
        self.ended: int | UserError
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._shutdown.make()
        self.join()

    def join(self) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.ended = self._streamer.run(self._open_session)
        except UserError as error:
            self.ended = error
        self._audio.notify()

    def _open_session(self, sink: Sink, label: str, clock: object = None) -> Any:
        self.talk = Talk(sink)
        return self.talk


@contextmanager
def talking(audio: PortAudio, arguments: LocalArguments = FLAGS) -> Iterator[Local]:
    local = Local(audio, arguments)
    audio.wait_for_streams(2)
    yield local
    local.stop()
    assert local.ended == 130
    assert all(stream.closed for stream in audio.opened)


def silence(samples: int, ahead_s: float) -> Samples:
    return np.zeros(samples, np.float32)
