"""Devices of all kinds: the formats chosen, and the sound that passes."""

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from arguments_classes.local_arguments import LocalArguments
from commands import check
from connections.local.audio_streamer import choose_port
from connections.local.sound_end import SoundEnd
from connections.local.sound_format import DTYPES, SoundFormat
from connections.local.sound_port import SoundPort
from pipeline.errors import NoAudioDevice, UserError
from testing.portaudio import Device
from tests.connections.local.local_mode import ALL, FLAGS, RATE_HZ, mic, plug_in, speaker, talking
from tests.connections.local.tones import expect_tone, tone, tone_and_one_too_high


@dataclass(frozen=True)
class Row:
    """Two devices, and the formats in which they are opened."""

    microphone: Device
    loudspeaker: Device
    heard: SoundFormat
    played: SoundFormat
    seconds: int = 3


def both(*chosen: Any) -> tuple[SoundFormat, SoundFormat]:
    return SoundFormat(*chosen), SoundFormat(*chosen)


MONO_16K, MONO_48K = SoundFormat(16000, 1, "int16"), SoundFormat(48000, 1, "int16")

ROWS = {
    "all rates": Row(mic(*ALL), speaker(*ALL), MONO_16K, MONO_16K),
    "48 kHz": Row(mic(48000), speaker(48000, 44100), MONO_48K, MONO_48K, 60),
    "44.1 kHz": Row(mic(44100), speaker(48000, 44100), *both(44100, 1, "int16"), 60),
    "44.1 beside 48": Row(mic(44100), speaker(48000), SoundFormat(44100, 1, "int16"), MONO_48K, 60),
    "48 beside 44.1": Row(mic(48000), speaker(44100), MONO_48K, SoundFormat(44100, 1, "int16"), 60),
    "32 beside 48": Row(mic(32000), speaker(48000, 44100), SoundFormat(32000, 1, "int16"), MONO_48K, 60),
    "48 beside 32": Row(mic(48000), speaker(32000), MONO_48K, SoundFormat(32000, 1, "int16"), 60),
    "stereo loudspeaker": Row(
        mic(48000), speaker(48000, channels=(2,)), MONO_48K, SoundFormat(48000, 2, "int16"), 60
    ),
    "stereo microphone": Row(
        mic(48000, 16000, channels=(2,)),
        speaker(48000, 16000),
        SoundFormat(16000, 2, "int16"),
        MONO_16K,
        60,
    ),
    "stereo only, 44.1 beside 48": Row(
        mic(44100, channels=(2,)),
        speaker(48000, channels=(2,)),
        SoundFormat(44100, 2, "int16"),
        SoundFormat(48000, 2, "int16"),
        60,
    ),
    "headset in a call": Row(mic(8000), speaker(8000), *both(8000, 1, "int16")),
    "its microphone alone": Row(mic(8000), speaker(*ALL), SoundFormat(8000, 1, "int16"), MONO_16K),
    "22.05 kHz": Row(
        mic(22050),
        speaker(11025),
        SoundFormat(22050, 1, "int16"),
        SoundFormat(11025, 1, "int16"),
    ),
    "96 kHz": Row(mic(96000), speaker(96000), *both(96000, 1, "int16")),
    "192 kHz beside 48": Row(mic(192000), speaker(48000), SoundFormat(192000, 1, "int16"), MONO_48K),
    "float32 only": Row(
        mic(*ALL, dtypes=("float32",)), speaker(*ALL), SoundFormat(16000, 1, "float32"), MONO_16K
    ),
    "int32 only": Row(
        mic(*ALL), speaker(*ALL, dtypes=("int32",)), MONO_16K, SoundFormat(16000, 1, "int32")
    ),
    "interface with 18 in, 20 out": Row(
        mic(48000, channels=(18,), dtypes=("int32",)),
        speaker(48000, channels=(20,), dtypes=("int32",)),
        SoundFormat(48000, 18, "int32"),
        SoundFormat(48000, 20, "int32"),
    ),
    "other host APIs": Row(mic(*ALL, host=1), speaker(*ALL), MONO_16K, MONO_16K),
}


# -- formats -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_formats(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, row.microphone, row.loudspeaker)
    port = choose_port(FLAGS)
    assert (port.microphone, port.loudspeaker) == (row.heard, row.played)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_conversation_passes_through(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tone in both directions: by its spectrum, and by its length and phase over up to a minute."""
    audio = plug_in(monkeypatch, row.microphone, row.loudspeaker)
    row.microphone.sound = tone_and_one_too_high if row.heard.rate_hz > 20000 else tone
    with talking(audio) as local:
        audio.advance(row.seconds)
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
    with talking(audio) as local:
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
        told, block = choose_port(FLAGS).describe(), "ready"
    except UserError as error:
        told, block = [str(error).partition("; connect one")[0]], "fix"
    chosen = [finding for finding in check._sound(FLAGS) if finding.topic == "sound"]
    shown = [(finding.text.partition("; connect one")[0], finding.block) for finding in chosen]
    assert shown == [(text, block) for text in told]


def test_the_check_follows_the_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, mic(*ALL), speaker(*ALL), Device("Headset", 1, 1, rates=(32000,), host=1))
    flags = LocalArguments(input_device="headset")
    chosen = [finding.text for finding in check._sound(flags) if finding.topic == "sound"]
    assert chosen == [
        "input: device 2 Headset, 32000 Hz, 1 channel, int16",
        "output: device 1 Speaker, 16000 Hz, 1 channel, int16",
    ]


def test_no_device_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch)
    with pytest.raises(NoAudioDevice, match="no microphone; connect one, or talk or type on a web page"):
        choose_port(FLAGS)


def test_a_port_of_two_wishes_has_two_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    """The TCP client may send at 16 kHz and receive at 24: one rate for both would cost sound."""
    plug_in(monkeypatch, mic(*ALL), speaker(*ALL))
    ends = SoundEnd("input", None, 16000), SoundEnd("output", None, 24000)
    port = SoundPort(*ends, 512, threading.Event())
    assert (port.microphone.rate_hz, port.loudspeaker.rate_hz) == (16000, 24000)
