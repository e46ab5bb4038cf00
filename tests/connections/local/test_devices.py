"""Devices of all kinds: the formats chosen, the sound that passes, and the errors if they fail."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from arguments_classes.local_arguments import LocalArguments
from commands import check
from connections.local import sound_port
from connections.local.audio_streamer import LocalAudioStreamer, choose_port
from connections.local.sound_end import RATES_HZ, SoundEnd
from connections.local.sound_format import DTYPES, SoundFormat
from connections.local.sound_port import SoundPort
from pipeline.activity import Activity
from pipeline.audio import Framer
from pipeline.channel import Channel
from pipeline.clock import MonotonicClock
from pipeline.errors import NoAudioDevice, UserError
from pipeline.gate import Gate
from pipeline.intake import Intake
from pipeline.mailbox import Mailboxes
from pipeline.messages import Samples
from pipeline.resampler import Resampler
from pipeline.sink import Frame, Sink
from testing.portaudio import BAD_COMBINATION, HOST_ERROR, IN_USE, Device, PortAudio
from tests.connections.local.tones import expect_tone, tone, tone_and_one_too_high
from utils.shutdown import StopRequest

RATE_HZ = 16000
VOICE_HZ = 22050
ALL = (*RATES_HZ,)
FLAGS = LocalArguments(echo_cancellation=False)


def mic(*rates: int, **fields: Any) -> Device:
    return Device("Mic", inputs=max(fields.get("channels", (1,))), rates=rates, **fields)


def speaker(*rates: int, **fields: Any) -> Device:
    return Device("Speaker", outputs=max(fields.get("channels", (2,))), rates=rates, **fields)


@dataclass(frozen=True)
class Row:
    """Two devices, and the formats in which they are opened."""

    microphone: Device
    loudspeaker: Device
    duplex: bool
    heard: SoundFormat
    played: SoundFormat
    seconds: int = 3


def both(*chosen: Any) -> tuple[SoundFormat, SoundFormat]:
    return SoundFormat(*chosen), SoundFormat(*chosen)


MONO_16K, MONO_48K = SoundFormat(16000, 1, "int16"), SoundFormat(48000, 1, "int16")

ROWS = {
    "all rates": Row(mic(*ALL), speaker(*ALL), True, MONO_16K, MONO_16K),
    "48 kHz": Row(mic(48000), speaker(48000, 44100), True, MONO_48K, MONO_48K, 60),
    "44.1 kHz": Row(mic(44100), speaker(48000, 44100), True, *both(44100, 1, "int16"), 60),
    "44.1 beside 48": Row(
        mic(44100), speaker(48000), False, SoundFormat(44100, 1, "int16"), MONO_48K, 60
    ),
    "48 beside 44.1": Row(
        mic(48000), speaker(44100), False, MONO_48K, SoundFormat(44100, 1, "int16"), 60
    ),
    "32 beside 48": Row(
        mic(32000), speaker(48000, 44100), False, SoundFormat(32000, 1, "int16"), MONO_48K, 60
    ),
    "48 beside 32": Row(mic(48000), speaker(32000), False, MONO_48K, SoundFormat(32000, 1, "int16"), 60),
    "stereo loudspeaker": Row(
        mic(48000), speaker(48000, channels=(2,)), True, MONO_48K, SoundFormat(48000, 2, "int16"), 60
    ),
    "stereo microphone": Row(
        mic(48000, 16000, channels=(2,)),
        speaker(48000, 16000),
        True,
        SoundFormat(16000, 2, "int16"),
        MONO_16K,
        60,
    ),
    "stereo only, 44.1 beside 48": Row(
        mic(44100, channels=(2,)),
        speaker(48000, channels=(2,)),
        False,
        SoundFormat(44100, 2, "int16"),
        SoundFormat(48000, 2, "int16"),
        60,
    ),
    "headset in a call": Row(mic(8000), speaker(8000), True, *both(8000, 1, "int16")),
    "its microphone alone": Row(
        mic(8000), speaker(*ALL), False, SoundFormat(8000, 1, "int16"), MONO_16K
    ),
    "22.05 kHz": Row(
        mic(22050),
        speaker(11025),
        False,
        SoundFormat(22050, 1, "int16"),
        SoundFormat(11025, 1, "int16"),
    ),
    "96 kHz": Row(mic(96000), speaker(96000), True, *both(96000, 1, "int16")),
    "192 kHz beside 48": Row(
        mic(192000), speaker(48000), False, SoundFormat(192000, 1, "int16"), MONO_48K
    ),
    "float32 only": Row(
        mic(*ALL, dtypes=("float32",)), speaker(*ALL), True, SoundFormat(16000, 1, "float32"), MONO_16K
    ),
    "int32 only": Row(
        mic(*ALL), speaker(*ALL, dtypes=("int32",)), True, MONO_16K, SoundFormat(16000, 1, "int32")
    ),
    "interface with 18 in, 20 out": Row(
        mic(48000, channels=(18,), dtypes=("int32",)),
        speaker(48000, channels=(20,), dtypes=("int32",)),
        True,
        SoundFormat(48000, 18, "int32"),
        SoundFormat(48000, 20, "int32"),
    ),
    "other host APIs": Row(mic(*ALL, host=1), speaker(*ALL), False, MONO_16K, MONO_16K),
}


def plug_in(monkeypatch: pytest.MonkeyPatch, *devices: Device) -> PortAudio:
    audio = PortAudio(*devices)
    monkeypatch.setitem(sys.modules, "sounddevice", audio)
    monkeypatch.setattr(sound_port, "PAUSE_S", 0.0)
    for device in devices:
        device.played.clear()
        device.error = None
    return audio


class Talk:
    """In the place of a session: a real intake, and a voice that speaks as soon as there is room."""

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
        self._thread.join(10)
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
def talking(audio: PortAudio, streams: int, arguments: LocalArguments = FLAGS) -> Iterator[Local]:
    local = Local(audio, arguments)
    audio.wait_for_streams(streams)
    yield local
    local.stop()
    assert local.ended == 130
    assert all(stream.closed for stream in audio.opened)


# -- formats -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_formats(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, row.microphone, row.loudspeaker)
    port = choose_port(FLAGS)
    assert (port.duplex, port.microphone, port.loudspeaker) == (row.duplex, row.heard, row.played)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_conversation_passes_through(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tone in both directions: by its spectrum, and by its length and phase over up to a minute."""
    audio = plug_in(monkeypatch, row.microphone, row.loudspeaker)
    row.microphone.sound = tone_and_one_too_high if row.heard.rate_hz > 20000 else tone
    with talking(audio, 1 if row.duplex else 2) as local:
        audio.advance(row.seconds)
        assert [stream.is_duplex for stream in audio.running] == [row.duplex] * len(audio.running)
    heard, played = local.talk.heard(), row.loudspeaker.heard()
    expect_tone(heard, RATE_HZ)
    assert abs(len(heard) - row.seconds * RATE_HZ) < 1024
    assert played.shape[1] == row.played.channels
    assert (played == played[:, :1]).all()
    expect_tone(played[:, 0], row.played.rate_hz)
    assert abs(len(played) - row.seconds * row.played.rate_hz) < 0.04 * row.played.rate_hz


def test_cards_that_drift_apart_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The microphone's card is 200 ppm fast, so that it has 12 ms too many in a minute."""
    microphone, loudspeaker = mic(44100, fast_ppm=200.0), speaker(48000)
    # seconds of its own clock, so that the tone is exact in the samples that it delivers
    microphone.sound = lambda seconds: tone((seconds - 100.0) * (1 + 200e-6))
    audio = plug_in(monkeypatch, microphone, loudspeaker)
    with talking(audio, 2) as local:
        audio.advance(60)
    heard, played = local.talk.heard(), loudspeaker.heard()[:, 0]
    expect_tone(heard, RATE_HZ)
    expect_tone(played, 48000)
    assert abs(len(heard) - 60 * RATE_HZ * 1.0002) <= 512
    assert abs(len(played) - 60 * 48000) <= 1536


def test_a_refused_format_is_not_asked_about_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt opens a device for a moment; a refused rate is refused in any sample format."""
    audio = plug_in(monkeypatch, mic(48000), speaker(48000))
    choose_port(FLAGS)
    assert len(audio.asked) <= 6


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_formats_keep_the_sound(dtype: str, channels: int) -> None:
    audio = np.linspace(-1, 1, 1001, dtype=np.float32)
    taken = SoundFormat(48000, channels, dtype)
    data = taken.encode(audio)
    assert len(data) == 1001 * channels * np.dtype(dtype).itemsize
    np.testing.assert_allclose(taken.decode(data), audio, atol=1e-4)


@pytest.mark.parametrize(
    ("channels", "heard"),
    [
        ((0.5, 0.5), 0.5),
        ((0.5, 0.0), 0.25),
        ((0.0, 0.5), 0.25),
        ((0.5, 0.5, 0.0, 0.9), 0.5),
    ],
    ids=["stereo", "left only", "right only", "a loopback beside it"],
)
def test_two_channels_are_heard(channels: tuple[float, ...], heard: float) -> None:
    data = np.tile(np.array(channels, np.float32), 10).tobytes()
    decoded = SoundFormat(48000, len(channels), "float32").decode(data)
    np.testing.assert_allclose(decoded, np.full(10, heard), atol=1e-6)


def test_a_float_microphone_that_overshoots_is_limited() -> None:
    data = np.array([2.0, -3.0, np.nan, np.inf, 0.5], np.float32).tobytes()
    assert SoundFormat(48000, 1, "float32").decode(data).tolist() == [1.0, -1.0, 0.0, 1.0, 0.5]


# -- refusals ------------------------------------------------------------------------------------------

OTHER_MIC = Device("Other mic", inputs=1, rates=(16000,))
BROKEN_MIC = Device("Broken mic", inputs=1, rates=(1,), own_hz=48000)

REFUSED = {
    "rate": (
        mic(7350, own_hz=48000),
        speaker(*ALL),
        r"the microphone 'Mic' takes no format .*: Invalid sample rate \[PaErrorCode -9997\]; by its "
        r"own account it runs at 48000 Hz with up to 1 channels; choose another: --input_device "
        r"2 \(Other mic\)$",
    ),
    "sample format": (
        mic(*ALL),
        speaker(*ALL, dtypes=()),
        r"the loudspeaker 'Speaker' takes no format .*: Sample format not supported .*; no other "
        r"loudspeaker can be used, so connect one",
    ),
    "channels": (
        mic(*ALL),
        Device("Speaker", outputs=2, rates=ALL, channels=(5,)),
        r"the loudspeaker 'Speaker' takes no format .*: Invalid number of channels .* up to 2 channels;",
    ),
}


@pytest.mark.parametrize(("microphone", "loudspeaker", "told"), REFUSED.values(), ids=REFUSED)
def test_the_device_that_refuses_is_named(
    microphone: Device, loudspeaker: Device, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio = plug_in(monkeypatch, microphone, loudspeaker, OTHER_MIC, BROKEN_MIC)
    with pytest.raises(UserError, match=told):
        choose_port(FLAGS)
    assert audio.starts == 1, "another attempt would change nothing"


# -- hiccups -------------------------------------------------------------------------------------------

SAME, APART = (mic(*ALL), speaker(*ALL)), (mic(44100), speaker(48000))


@pytest.mark.parametrize("devices", [SAME, APART], ids=["one stream", "two streams"])
@pytest.mark.parametrize("hiccups", [1, 2])
@pytest.mark.parametrize("kind", ["hiccups", "hiccups_of_start", "stillborn"])
def test_a_hiccup_at_start_is_survived(
    devices: tuple[Device, ...], hiccups: int, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio = plug_in(monkeypatch, *devices)
    setattr(audio, kind, hiccups if kind == "stillborn" else [HOST_ERROR] * hiccups)
    with talking(audio, 1 if devices is SAME else 2):
        assert audio.starts == 1 + hiccups
        audio.advance(1)
        assert devices[1].played


def test_devices_that_do_not_open_together_open_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    audio = plug_in(monkeypatch, *SAME)
    audio.hiccups = [BAD_COMBINATION]
    with talking(audio, 2):
        assert audio.starts == 1


@pytest.mark.parametrize(
    ("error", "hint"), [(HOST_ERROR, ""), (IN_USE, "; another program may be using it")]
)
@pytest.mark.parametrize("broken", [0, 1], ids=["microphone", "loudspeaker"])
def test_a_device_that_does_not_open_is_named_and_others_too(
    error: tuple[str, int], hint: str, broken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named whether it fails when it is asked for its formats, or later, when it is opened."""
    pair = (mic(*ALL), speaker(*ALL))
    spare = Device("Spare", inputs=1, outputs=1, rates=(48000,))
    audio = plug_in(monkeypatch, *pair, spare, Device("Dead", 1, 1, error=HOST_ERROR))
    audio.devices[3].error = HOST_ERROR
    role, flag = (("microphone", "input"), ("loudspeaker", "output"))[broken]
    told = (
        f"the {role} {pair[broken].name!r} cannot be opened, in 3 attempts: "
        f"{error[0]} [PaErrorCode {error[1]}]{hint}; choose another: --{flag}_device 2 (Spare)"
    )
    port = choose_port(FLAGS)
    pair[broken].error = error
    with pytest.raises(UserError) as at_start, port.open(lambda *_: None, silence, lambda _: None):
        pass
    assert str(at_start.value) == told
    assert audio.starts == 3
    assert not audio.running
    with pytest.raises(UserError) as when_asked:
        choose_port(FLAGS)
    assert str(when_asked.value) == told


def silence(samples: int, ahead_s: float) -> Samples:
    return np.zeros(samples, np.float32)


def test_the_chosen_device_is_opened_though_its_number_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    webcam, microphone, loudspeaker = Device("Webcam", inputs=1), *SAME
    audio = plug_in(monkeypatch, webcam, microphone, loudspeaker)
    port = choose_port(LocalArguments(input_device="Mic"))
    audio.hiccups = [HOST_ERROR]
    audio.unplug(webcam)
    with port.open(lambda *_: None, silence, lambda _: None):
        assert audio.running[0].devices == [microphone, loudspeaker]


def test_ctrl_c_ends_the_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    audio = plug_in(monkeypatch, *SAME)
    stopping = threading.Event()
    port = choose_port(FLAGS, stopping)
    audio.hiccups = [HOST_ERROR] * 3
    stopping.set()
    with pytest.raises(UserError, match="stopped"), port.open(print, silence, print):
        pass
    assert audio.starts == 1


# -- in mid-conversation -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("devices", "gone", "told"),
    [
        (SAME, 0, "the sound device stopped; is it still plugged in?"),
        (APART, 0, "the microphone 'Mic' stopped; is it still plugged in?"),
        (APART, 1, "the loudspeaker 'Speaker' stopped; is it still plugged in?"),
    ],
)
def test_a_device_that_goes_away(
    devices: tuple[Device, ...], gone: int, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio = plug_in(monkeypatch, *devices)
    local = Local(audio)
    audio.wait_for_streams(1 if devices is SAME else 2)
    audio.advance(1)
    audio.unplug(devices[gone])
    local.join()
    assert str(local.ended) == told
    assert all(stream.closed for stream in audio.opened)


def test_an_error_in_a_callback_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    audio = plug_in(monkeypatch, *APART)
    local = Local(audio)
    audio.wait_for_streams(2)

    def broken(*_: object) -> None:
        raise ValueError("no room")

    monkeypatch.setattr(local.talk, "feed", broken)
    audio.advance(1)
    local.join()
    assert str(local.ended) == ("the microphone 'Mic' stopped (no room); is it still plugged in?")


# -- --check -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "devices",
    [(row.microphone, row.loudspeaker) for row in ROWS.values()]
    + [(mic(7350, own_hz=48000), speaker(48000)), ()],
    ids=[*ROWS, "refused", "nothing there"],
)
def test_the_check_and_the_program_agree(
    devices: tuple[Device, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in(monkeypatch, *devices)
    told: list[str]
    try:
        told, ready = choose_port(FLAGS).describe(), True
    except UserError as error:
        told, ready = [str(error)], False
    chosen = [finding for finding in check._sound(FLAGS) if finding.ready is not None]
    assert [(finding.text, finding.ready) for finding in chosen] == [(text, ready) for text in told]


def test_the_check_follows_the_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, *SAME, Device("Headset", 1, 1, rates=(32000,), host=1))
    flags = LocalArguments(input_device="headset")
    chosen = [finding.text for finding in check._sound(flags) if finding.ready]
    assert chosen == [
        "input: device 2 Headset, 32000 Hz, 1 channel, int16",
        "output: device 1 Speaker, 16000 Hz, 1 channel, int16",
    ]


def test_no_device_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch)
    with pytest.raises(NoAudioDevice, match="no microphone; connect one, or talk to a server"):
        choose_port(FLAGS)


def test_a_port_of_two_wishes_has_two_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    """The TCP client may send at 16 kHz and receive at 24: one rate for both would cost sound."""
    plug_in(monkeypatch, *SAME)
    ends = SoundEnd("input", None, 16000), SoundEnd("output", None, 24000)
    port = SoundPort(*ends, 512, threading.Event())
    assert (port.duplex, port.microphone.rate_hz, port.loudspeaker.rate_hz) == (False, 16000, 24000)
