"""Devices that refuse, fail for a moment or for good, or go away: what is done, and what is said."""

import re
import threading

import numpy as np
import pytest

from arguments_classes.local_arguments import LocalArguments
from connections.local import sound_stream
from connections.local.audio_streamer import choose_port
from connections.local.sound_port import Interrupted
from pipeline.errors import UserError
from testing.portaudio import HOST_ERROR, IN_USE, Device
from tests.connections.local.local_mode import (
    ALL,
    FLAGS,
    Local,
    mic,
    plug_in,
    silence,
    speaker,
    talking,
)

# -- refusals ------------------------------------------------------------------------------------------

OTHER_MIC = Device("Other mic", inputs=1, rates=(16000,))
BROKEN_MIC = Device("Broken mic", inputs=1, rates=(1,), own_hz=48000)

REFUSED = {
    "rate": (
        mic(7350, own_hz=48000),
        speaker(*ALL),
        r"the microphone 'Mic' accepts no format .*: Invalid sample rate \[PaErrorCode -9997\]; it "
        r"reports a rate of 48000 Hz and up to 1 channels; choose another: --input_device "
        r"2 \(Other mic\)$",
    ),
    "sample format": (
        mic(*ALL),
        speaker(*ALL, dtypes=()),
        r"the loudspeaker 'Speaker' accepts no format .*: Sample format not supported .*; no other "
        r"loudspeaker can be used, so connect one",
    ),
    "channels": (
        mic(*ALL),
        Device("Speaker", outputs=2, rates=ALL, channels=(5,)),
        r"the loudspeaker 'Speaker' accepts no format .*: Invalid number .* up to 2 channels;",
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


@pytest.mark.parametrize("devices", [SAME, APART], ids=["one rate", "two rates"])
@pytest.mark.parametrize("hiccups", [1, 2])
@pytest.mark.parametrize("kind", ["hiccups", "hiccups_of_start", "stillborn"])
def test_a_hiccup_at_start_is_survived(
    devices: tuple[Device, ...], hiccups: int, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio = plug_in(monkeypatch, *devices)
    setattr(audio, kind, hiccups if kind == "stillborn" else [HOST_ERROR] * hiccups)
    with talking(audio):
        assert audio.starts == 1 + hiccups
        audio.advance(1)
        assert devices[1].played


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"stillborn": 9}, "the loudspeaker 'Speaker' could not be opened in 3 attempts: it stopped at"),
        ({"mute": True}, "the loudspeaker 'Speaker' could not be opened in 3 attempts: no audio came"),
    ],
    ids=["it ends at once", "no audio comes"],
)
def test_a_device_without_a_first_block_is_named(
    fault: dict[str, int], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio = plug_in(monkeypatch, *APART)
    monkeypatch.setattr(sound_stream, "FIRST_BLOCK_S", 0.05)
    vars(audio).update(fault)
    port = choose_port(FLAGS)
    with pytest.raises(UserError, match=told), port.open(lambda *_: None, silence, lambda _: None):
        pass
    assert all(stream.closed for stream in audio.opened)


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
        f"the {role} {pair[broken].name!r} could not be opened in 3 attempts: "
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


def test_the_chosen_device_is_opened_though_its_number_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    webcam, microphone, loudspeaker = Device("Webcam", inputs=1), *SAME
    audio = plug_in(monkeypatch, webcam, microphone, loudspeaker)
    port = choose_port(LocalArguments(input_device="Mic"))
    audio.hiccups = [HOST_ERROR]
    audio.unplug(webcam)
    with port.open(lambda *_: None, silence, lambda _: None):
        assert [stream.devices for stream in audio.running] == [[loudspeaker], [microphone]]


def test_ctrl_c_ends_the_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    audio = plug_in(monkeypatch, *SAME)
    stopping = threading.Event()
    port = choose_port(FLAGS, stopping)
    audio.hiccups = [HOST_ERROR] * 3
    stopping.set()
    with pytest.raises(Interrupted) as stopped, port.open(print, silence, print):
        pass
    assert (audio.starts, stopped.value.exit_code) == (1, 130)


# -- in mid-conversation -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("devices", "gone", "told"),
    [
        (SAME, 0, "the microphone 'Mic' has gone"),
        (APART, 0, "the microphone 'Mic' has gone"),
        (APART, 1, "the loudspeaker 'Speaker' has gone"),
    ],
)
def test_a_device_that_goes_away(
    devices: tuple[Device, ...], gone: int, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spare = Device("Spare", inputs=1, outputs=1, rates=(48000,))
    audio = plug_in(monkeypatch, *devices, spare)
    local = Local(audio)
    audio.wait_for_streams(2)
    audio.advance(1)
    audio.unplug(devices[gone])
    local.join()
    ending = rf"{told}; is it still plugged in\? choose another: --\w+_device 1 \(Spare\)"
    assert re.fullmatch(ending, str(local.ended))
    assert all(stream.closed for stream in audio.opened)


@pytest.mark.parametrize("devices", [SAME, APART], ids=["one rate", "two rates"])
def test_a_device_that_stops_is_opened_again_twice(
    devices: tuple[Device, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    audio = plug_in(monkeypatch, *devices)
    local = Local(audio)
    for count in range(3):
        audio.wait_for_streams(2)
        devices[1].played.clear()
        audio.advance(1)
        assert np.abs(devices[1].heard()).max() > 0.1, "the conversation goes on"
        if count < 2:
            audio.running[0].end()
    assert capsys.readouterr().err.count("stopped; opening it again") == 2
    audio.running[0].end()
    local.join()
    assert re.match(r"the \w+ '\w+' stopped, for the third time; ", str(local.ended))


def test_an_error_in_a_callback_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    audio = plug_in(monkeypatch, *APART)
    local = Local(audio)
    audio.wait_for_streams(2)

    def broken(*_: object) -> None:
        raise ValueError("no room")

    monkeypatch.setattr(local.talk, "feed", broken)
    audio.advance(1)
    local.join()
    assert str(local.ended).startswith("the microphone 'Mic' stopped (no room), for the third time; ")


# -- a microphone that lags ----------------------------------------------------------------------------


def test_a_microphone_that_stays_behind_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    microphone = mic(*ALL)
    audio = plug_in(monkeypatch, microphone, speaker(*ALL))
    with talking(audio) as local:
        audio.advance(5.0)
        microphone.late_s = 1.2
        audio.advance(1.0)
        microphone.late_s = 0.0
        audio.advance(1.5)
        assert local.talk.reports == [], "a hiccup"
        microphone.late_s = 1.2
        audio.advance(60.0)
        ((stage, error),) = local.talk.reports
    assert (stage, error.code) == ("microphone", "microphone_late")
    assert re.match(r"the microphone is 1\.2 s behind, and so are the answers; ", str(error))


def test_a_microphone_without_capture_times_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    microphone = mic(*ALL, late_s=1e6)  # so that they are below zero: PortAudio knows none
    audio = plug_in(monkeypatch, microphone, speaker(*ALL))
    with talking(audio) as local:
        audio.advance(5.0)
        assert local.talk.reports == []
