"""`python -m S2S.codec roundtrip`, as a user runs it, and the parts that its figures come from."""

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
import soundfile

pytest.importorskip("torch", reason="pip install -e '.[codec]'")
pytest.importorskip("torchmetrics", reason="pip install -e '.[codec]'")
pytest.importorskip("pystoi", reason="pip install -e '.[codec]'")

from pipeline.messages import Samples
from S2S.codec.__main__ import main
from S2S.codec.distances import Distances, distances
from S2S.codec.encodec import EncodecCodec
from S2S.codec.roundtrip import roundtrip
from S2S.codec.word_errors import WordErrors, count_errors
from testing.tiny_codecs import tiny_encodec, tiny_hifi_gan, tiny_mimi
from tests.command import ROOT
from tests.speech import RATE_HZ, moonshine_asset


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny_encodec(folder / "encodec")
    tiny_mimi(folder / "mimi")
    tiny_hifi_gan(folder / "hifi-gan")
    return folder


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """Half a second of stereo at 44.1 kHz."""
    samples = 0.3 * np.sin(2 * np.pi * 440 * np.arange(22050) / 44100)
    soundfile.write(tmp_path / "in.wav", np.stack((samples, samples), axis=1), 44100)
    return tmp_path / "in.wav"


def run(*argv: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-m", "S2S.codec", *map(str, argv)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


Call: TypeAlias = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Do the same as `run`, but in this process, which has imported torch already."""

    def called(*argv: object) -> "subprocess.CompletedProcess[str]":
        arguments = [str(argument) for argument in argv]
        code = main(arguments)
        printed = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, code, printed.out, printed.err)

    return called


def figures(printed: str) -> dict[str, str]:
    """The lines of the report, by topic."""
    return {line[:17].strip(): line[17:] for line in printed.splitlines()}


@pytest.mark.parametrize(
    ("codec", "flags", "rate_hz", "bitrate"),
    [
        ("mimi", ("--codebooks", 8), 24000, "0.6 kbit/s: 8 codes of 6 bits a frame"),
        ("encodec", ("--bandwidth", 3.6), 24000, "3.6 kbit/s: 8 codes of 6 bits a frame"),
        ("hifi-gan", (), 16000, "none: its frames are numbers, not codes"),
    ],
)
def test_a_tone_through_every_codec(
    models: Path, tone: Path, codec: str, flags: tuple[object, ...], rate_hz: int, bitrate: str
) -> None:
    output = tone.with_name("out.wav")
    ended = run("roundtrip", tone, output, "--codec", codec, "--model", models / codec, *flags)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    told = figures(ended.stdout)
    assert told["bitrate"] == bitrate
    factors = [float(factor) for factor in re.findall(r"\d+\.\d+", told["real-time factor"])]
    assert len(factors) == (2 if codec == "hifi-gan" else 4)
    assert all(factor > 0 for factor in factors)
    if codec == "hifi-gan":
        assert told["streaming"] == "none: it needs the whole recording"
    else:
        assert told["streaming"].startswith("equals the whole")
        times = 640 if codec == "mimi" else 107
        assert told["compression"].startswith(f"{times} times")
    assert re.fullmatch(
        r"SI-SDR -?\d+\.\d dB, STOI -?\d\.\d{3}, mel spectra \d+\.\d dB", told["distances"]
    )
    decoded, decoded_hz = soundfile.read(output, dtype="float32")
    assert (len(decoded), decoded_hz) == (rate_hz // 2, rate_hz)
    assert decoded.std() > 0
    expect_spectrograms(output.with_suffix(".html").read_text("utf-8"))


def expect_spectrograms(page: str) -> None:
    """Two pictures of 80 bands and 51 frames, of which the upper one shows the tone of 440 Hz."""
    drawn = json.loads(re.findall(r'"z":(\{[^}]*\})', page)[0])
    assert drawn["shape"] == "80, 51"
    upper = np.frombuffer(base64.b64decode(drawn["bdata"]), np.int8).reshape(80, 51)
    assert upper.max() == 0
    assert len(set(upper[:, 10:-10].argmax(axis=0))) == 1
    assert len(re.findall(r'"zmin":-80.0,"type":"heatmap"', page)) == 2


@pytest.mark.parametrize("text", [None, "Ever tried, ever failed."])
def test_words_before_and_after(call: Call, models: Path, tmp_path: Path, text: str | None) -> None:
    speech = moonshine_asset("beckett.wav")[: 4 * RATE_HZ]
    soundfile.write(tmp_path / "in.flac", speech, RATE_HZ)
    given = () if text is None else ("--text", text)
    flags = ("--codec", "mimi", "--model", models / "mimi", *given)
    ended = call("roundtrip", tmp_path / "in.flac", tmp_path / "out.flac", *flags)
    assert ended.returncode == 0, ended.stderr
    told = figures(ended.stdout)
    assert "fail" in told["heard before"].lower()
    if text is None:
        assert re.fullmatch(r"after \d+ of \d+, against those heard before", told["words wrong"])
    else:
        assert re.fullmatch(r"before \d+ of 4, after \d+ of 4, against --text", told["words wrong"])


@pytest.mark.parametrize("samples", [[0.5], [np.nan] * 500, [0.0] * 30000])
def test_odd_recordings(call: Call, models: Path, tmp_path: Path, samples: list[float]) -> None:
    """A single sample, samples that are not numbers, and silence have no distances and no words."""
    soundfile.write(tmp_path / "in.wav", np.array(samples), 24000, subtype="FLOAT")
    flags = ("--codec", "encodec", "--bandwidth", 3.6, "--model", models / "encodec")
    ended = call("roundtrip", tmp_path / "in.wav", tmp_path / "out.wav", *flags)
    assert ended.returncode == 0, ended.stderr
    told = figures(ended.stdout)
    assert told["streaming"].startswith("equals the whole")
    assert "SI-SDR undefined, STOI undefined" in told["distances"]
    assert told["words wrong"] == "unknown: no words to compare"
    assert soundfile.info(tmp_path / "out.wav").frames == len(samples)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("none.wav", None, "there is no such file"),
        ("text.wav", b"not a sound", "expected sound as WAV, FLAC, MP3, Ogg or AIFF, got something"),
        ("empty.wav", np.zeros(0), "expected a recording, got one without any audio"),
        ("long.wav", np.zeros(121 * 8000), "expected at most 120 s, got 121 s"),
    ],
)
def test_recordings_that_cannot_be_used(
    call: Call, tmp_path: Path, name: str, content: Any, said: str
) -> None:
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        soundfile.write(path, content, 8000)
    expect_mistake(call("roundtrip", path, tmp_path / "out.wav", "--codec", "mimi"), said)
    assert not (tmp_path / "out.wav").exists()


def expect_mistake(ended: "subprocess.CompletedProcess[str]", said: str) -> None:
    assert ended.returncode == 2, ended.stderr
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1, ended.stderr
    assert said in ended.stderr


@pytest.mark.parametrize(
    ("output", "flags", "said"),
    [
        ("out.txt", (), "expected the name of a sound file, such as out.wav"),
        ("missing/out.wav", (), "out.wav cannot be written: No such file or directory"),
        ("out.wav", ("--device", "abacus"), "--device: expected one of"),
        ("out.wav", ("--bandwidth", 6), "--bandwidth belongs to --codec encodec, but the codec is mimi"),
        ("out.wav", ("--codebooks", 33), "--codebooks: expected 1 to 8, got 33"),
        ("out.wav", ("--model", "MODELS/encodec"), "expected Mimi"),
        ("out.wav", ("--model", "no/where/at/all"), "--model no/where/at/all: expected a folder"),
    ],
)
def test_mistakes(
    call: Call, models: Path, tone: Path, output: str, flags: tuple[object, ...], said: str
) -> None:
    given = [str(flag).replace("MODELS", str(models)) for flag in flags]
    model = () if "--model" in given else ("--model", models / "mimi")
    expect_mistake(
        call("roundtrip", tone, tone.parent / output, "--codec", "mimi", *model, *given), said
    )


def test_a_model_that_is_not_here_can_be_downloaded(tone: Path, tmp_path: Path) -> None:
    flags = ("roundtrip", tone, tmp_path / "out.wav", "--codec", "mimi")
    ended = run(*flags, HF_HUB_OFFLINE="1", MODEL_CACHE_DIR=str(tmp_path / "cache"))
    expect_mistake(ended, "--model kyutai/mimi: ")
    assert "--download" in ended.stderr


def test_download_loads_the_model_and_nothing_else(call: Call, models: Path, tone: Path) -> None:
    flags = ("--codec", "mimi", "--model", models / "mimi", "--download")
    ended = call("roundtrip", tone, tone.with_name("out.wav"), *flags)
    assert (ended.returncode, ended.stdout) == (0, f"{models / 'mimi'} on cpu is ready\n"), ended.stderr
    assert not tone.with_name("out.wav").exists()


def test_a_stream_that_loses_its_state_is_noticed(models: Path, monkeypatch: Any) -> None:
    samples = 0.3 * np.random.default_rng(0).normal(size=8000).astype(np.float32)
    codec = EncodecCodec("cpu", str(models / "encodec"), 3.6)
    whole = roundtrip(codec, samples)
    assert whole.streaming is not None
    assert whole.streaming.equal
    parts = codec._encoder_parts

    class Forgetful:
        def feed(self, block: Any, last: bool) -> Any:
            for part in parts():
                block = part.feed(block, True)
            return block

    monkeypatch.setattr(codec, "_encoder_parts", lambda: [Forgetful()])
    broken = roundtrip(codec, samples).streaming
    assert broken is not None
    assert not broken.equal
    assert broken.latents_off > 0.1


def noise(seed: int) -> Samples:
    return 0.1 * np.random.default_rng(seed).normal(size=24000).astype(np.float32)


def test_distances_of_noise_that_is_added() -> None:
    clean, same = noise(0), distances(noise(0), noise(0), 24000)
    assert same.mel_db == 0
    assert same.stoi == pytest.approx(1)
    near, far = (distances(clean, clean + level * noise(1), 24000) for level in (0.1, 1.0))
    assert near.si_sdr_db == pytest.approx(20, abs=0.3)
    assert far.si_sdr_db == pytest.approx(0, abs=0.3)
    assert near.stoi is not None
    assert far.stoi is not None
    assert near.stoi > far.stoi
    assert near.mel_db is not None
    assert far.mel_db is not None
    assert 0 < near.mel_db < far.mel_db
    louder = distances(clean, 2 * clean, 24000)
    assert louder.si_sdr_db is not None
    assert louder.si_sdr_db > 60
    assert louder.mel_db == pytest.approx(6.02, abs=0.01)


def test_silence_and_a_moment_have_no_distances() -> None:
    silence = np.zeros(24000, np.float32)
    assert distances(silence, noise(0), 24000) == Distances(None, None, None)
    assert distances(noise(0), silence, 24000).si_sdr_db is None
    assert distances(noise(0)[:1000], noise(0)[:1000], 24000).stoi is None


@pytest.mark.parametrize(
    ("reference", "heard", "errors"),
    [
        ("Hello, there my friend.", "hello THERE friend too", WordErrors(2, 4)),
        ("It's ten.", "It's ten", WordErrors(0, 2)),
        ("one two", "", WordErrors(2, 2)),
        ("one", "one two three", WordErrors(2, 1)),
        ("...", "one", None),
        ("", "", None),
    ],
)
def test_words_wrong(reference: str, heard: str, errors: WordErrors | None) -> None:
    assert count_errors(reference, heard) == errors
