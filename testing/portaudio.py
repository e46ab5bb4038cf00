"""PortAudio: simulated sound devices and their faults, in place of the module `sounddevice`."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Audio = NDArray[np.float64]

IN_USE = ("Device unavailable", -9985)
HOST_ERROR = ("Unanticipated host error", -9999)
_BAD_RATE = ("Invalid sample rate", -9997)
_BAD_CHANNELS = ("Invalid number of channels", -9998)
_BAD_DTYPE = ("Sample format not supported", -9994)

_SCALE = {"int16": 32767.0, "int32": 2147483647.0, "float32": 1.0}
_PATIENCE_S = 60.0


class PortAudioError(Exception):
    """An error with PortAudio's text and number."""

    def __str__(self) -> str:
        return f"{self.args[0]} [PaErrorCode {self.args[1]}]"


class CallbackAbort(Exception):
    """Raised by a callback to stop its stream."""


@dataclass
class Device:
    """A device, and the formats that it accepts. Its clock may be fast by some parts per million."""

    name: str
    inputs: int = 0
    outputs: int = 0
    rates: tuple[int, ...] = (48000,)
    channels: tuple[int, ...] = (1, 2)
    dtypes: tuple[str, ...] = ("int16", "float32", "int32")
    host: int = 0
    own_hz: int = 0
    """The default rate that it reports; 0 for the first of `rates`."""
    fast_ppm: float = 0.0
    late_s: float = 0.0
    """The time that its audio waits before a callback gets it."""
    error: tuple[str, int] | None = None
    """The error that every use of it raises; None if it works."""
    sound: Callable[[Audio], Audio] = np.zeros_like
    """The sound at its microphone: seconds ▶ amplitudes, shape (samples,) or (samples, channels)."""
    played: list[Audio] = field(default_factory=list)
    """The blocks that its loudspeaker received, shape (samples, channels)."""

    def heard(self) -> Audio:
        """All audio that its loudspeaker received, shape (samples, channels)."""
        return np.concatenate(self.played)

    def expect(self, channels: int, dtype: str, rate_hz: float) -> None:
        """Raise `PortAudioError` if it does not accept this format; the checks are in ALSA's order."""
        for refusal in (
            self.error,
            None if dtype in self.dtypes else _BAD_DTYPE,
            None if rate_hz in self.rates else _BAD_RATE,
            None if channels in self.channels else _BAD_CHANNELS,
        ):
            if refusal is not None:
                raise PortAudioError(*refusal)


class PortAudio(ModuleType):
    """To be put into `sys.modules` as "sounddevice". Time passes only in `advance`.

    As in the real one, the list of devices does not change until PortAudio is restarted.
    """

    PortAudioError = PortAudioError
    CallbackAbort = CallbackAbort

    def __init__(self, *devices: Device) -> None:
        super().__init__("sounddevice")
        self.devices = list(devices)
        """The devices that are plugged in."""
        self.hiccups: list[tuple[str, int]] = []
        """Errors of the next attempts to open a stream, in order."""
        self.hiccups_of_start: list[tuple[str, int]] = []
        """Errors of the next attempts to start a stream that was opened, in order."""
        self.stillborn = 0
        """Number of the next streams that end before their first block, as ALSA's sometimes do."""
        self.mute = False
        """True if streams start, but never call back."""
        self.asked: list[tuple[str, int, str, float]] = []
        """Each format that was queried: device, channels, sample format, rate."""
        self.opened: list[Stream] = []
        """All streams ever opened."""
        self.now = 100.0
        self._changed = threading.Condition()
        self.turn = threading.RLock()
        """Held while a stream starts or time passes, so that no block is exchanged twice."""
        self.starts = 0
        """Number of times that PortAudio was started."""
        self._initialize()

    def _initialize(self) -> None:
        self.starts += 1
        self._list = list(self.devices)
        first_in, first_out = (
            next((i for i, device in enumerate(self._list) if getattr(device, kind)), -1)
            for kind in ("inputs", "outputs")
        )
        self.default = SimpleNamespace(device=(first_in, first_out))

    def _terminate(self) -> None:
        self._list = []

    def query_devices(self, index: int | None = None) -> Any:
        listed = [
            {
                "index": number,
                "name": device.name,
                "hostapi": device.host,
                "max_input_channels": device.inputs,
                "max_output_channels": device.outputs,
                "default_samplerate": float(device.own_hz or device.rates[0]),
            }
            for number, device in enumerate(self._list)
        ]
        return listed if index is None else listed[index]

    def check_input_settings(self, device: int, channels: int, dtype: str, *, samplerate: float) -> None:
        self._check(device, channels, dtype, samplerate)

    def check_output_settings(
        self, device: int, channels: int, dtype: str, *, samplerate: float
    ) -> None:
        self._check(device, channels, dtype, samplerate)

    def _check(self, device: int, channels: int, dtype: str, rate_hz: float) -> None:
        self.asked.append((self._list[device].name, channels, dtype, rate_hz))
        self._list[device].expect(channels, dtype, rate_hz)

    def RawInputStream(self, **settings: Any) -> "Stream":  # noqa: N802
        end = (settings["device"], settings["channels"], settings["dtype"])
        return self._open(settings, microphone=end)

    def RawOutputStream(self, **settings: Any) -> "Stream":  # noqa: N802
        end = (settings["device"], settings["channels"], settings["dtype"])
        return self._open(settings, loudspeaker=end)

    def _open(
        self,
        settings: dict[str, Any],
        microphone: tuple[int, int, str] | None = None,
        loudspeaker: tuple[int, int, str] | None = None,
    ) -> "Stream":
        if self.hiccups:
            raise PortAudioError(*self.hiccups.pop(0))
        ends = [
            None if end is None else _End(self._list[end[0]], *end[1:])
            for end in (microphone, loudspeaker)
        ]
        for end in ends:
            if end is not None:
                end.device.expect(end.channels, end.dtype, settings["samplerate"])
        stream = Stream(self, settings, *ends)
        self.opened.append(stream)
        return stream

    # -- the test ----------------------------------------------------------------------------------

    @property
    def running(self) -> list["Stream"]:
        """The running streams."""
        return [stream for stream in self.opened if stream.active]

    def notify(self) -> None:
        """A stream has started or ended."""
        with self._changed:
            self._changed.notify_all()

    def wait_for_streams(self, count: int) -> None:
        """Wait until this many streams are running, started by another thread."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.running) == count, _PATIENCE_S), self.running

    def advance(self, seconds: float) -> None:
        """Let time pass: every stream calls back when its card has a block."""
        with self.turn:
            end = self.now + seconds
            while running := self.running:
                stream = min(running, key=lambda stream: stream.next_at)
                if stream.next_at > end:
                    break
                self.now = stream.next_at
                stream.call_back()
            self.now = end

    def unplug(self, device: Device) -> None:
        """Take a device away; its streams end."""
        self.devices.remove(device)
        device.error = ("Invalid device", -9996)
        with self.turn:  # not while a stream starts, which would then be called back after its end
            for stream in self.running:
                if device in stream.devices:
                    stream.end()


@dataclass(frozen=True)
class _End:
    device: Device
    channels: int
    dtype: str


class Stream:
    """A stream that is called by `PortAudio.advance`, on the thread of the test."""

    def __init__(
        self,
        audio: PortAudio,
        settings: dict[str, Any],
        microphone: _End | None,
        loudspeaker: _End | None,
    ) -> None:
        self.active = self.closed = False
        self._audio = audio
        self._microphone, self._loudspeaker = microphone, loudspeaker
        self._samples: int = settings["blocksize"]
        self._callback: Callable[..., object] = settings["callback"]
        self._finished: Callable[[], object] = settings["finished_callback"]
        self.devices = [end.device for end in (microphone, loudspeaker) if end is not None]
        self._rate_hz: float = settings["samplerate"] * (1 + self.devices[0].fast_ppm / 1e6)
        self._started_at, self._blocks = 0.0, 0

    @property
    def next_at(self) -> float:
        """The time of the next block; the first comes immediately."""
        return self._started_at + self._blocks * self._samples / self._rate_hz

    def start(self) -> None:
        if self._audio.hiccups_of_start:
            raise PortAudioError(*self._audio.hiccups_of_start.pop(0))
        with self._audio.turn:
            self._started_at = self._audio.now
            self.active = True
            if self._audio.stillborn:
                self._audio.stillborn -= 1
                self.end()
                return
            self.call_back()
        self._audio.notify()

    def stop(self) -> None:
        if self.active:
            self.end()

    def close(self) -> None:
        self.stop()
        self.closed = True

    def end(self) -> None:
        """End without being closed, as on a device that fails."""
        self.active = False
        self._finished()
        self._audio.notify()

    def call_back(self) -> None:
        """Exchange one block with the program."""
        if self._audio.mute:
            return
        duration_s = self._samples / self._rate_hz
        captured_s = 0.0 if self._microphone is None else duration_s + self._microphone.device.late_s
        times = SimpleNamespace(
            currentTime=self._audio.now,
            inputBufferAdcTime=self._audio.now - captured_s,
            outputBufferDacTime=self._audio.now + duration_s,
        )
        arguments: list[Any] = []
        if self._microphone is not None:
            arguments.append(self._captured(self._microphone))
        out = memoryview(b"")
        if self._loudspeaker is not None:
            size = np.dtype(self._loudspeaker.dtype).itemsize
            out = memoryview(bytearray(self._samples * self._loudspeaker.channels * size))
            arguments.append(out)
        self._blocks += 1
        try:
            self._callback(*arguments, self._samples, times, None)
        except CallbackAbort:
            self.end()
            return
        if self._loudspeaker is not None:
            self._play(self._loudspeaker, out)

    def _captured(self, end: _End) -> bytes:
        numbers = self._blocks * self._samples + np.arange(self._samples)
        sound = end.device.sound(self._started_at + numbers / self._rate_hz)
        if sound.ndim == 1:
            sound = np.repeat(sound[:, np.newaxis], end.channels, axis=1)
        scaled = sound[:, : end.channels] * _SCALE[end.dtype]
        rounded = scaled if end.dtype == "float32" else np.rint(scaled)
        return rounded.astype(end.dtype).tobytes()

    def _play(self, end: _End, data: memoryview) -> None:
        audio = np.frombuffer(data, end.dtype).astype(np.float64) / _SCALE[end.dtype]
        end.device.played.append(audio.reshape(-1, end.channels))
