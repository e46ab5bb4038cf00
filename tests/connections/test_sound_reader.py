"""SoundReader: blocks are the same as the whole, no library complains on standard error, and a damaged
file is read as far as possible."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from connections.access.http_errors import BadParameter
from connections.openai_audio.recording import SentSound
from connections.openai_audio.sound_encoder import RATE_HZ, SoundEncoder
from connections.sound_reader import SoundReader
from pipeline.messages import AudioChunk, Samples


@pytest.fixture
def noise() -> Samples:
    return np.random.default_rng(1).normal(0, 0.1, 5 * RATE_HZ).astype(np.float32)


def mp3(samples: Samples) -> bytes:
    """The response of `/v1/audio/speech`."""
    encoder = SoundEncoder("mp3")
    return encoder.feed(AudioChunk(samples, RATE_HZ)) + encoder.end()


def test_an_mp3_of_this_server_is_read_without_a_complaint(
    noise: Samples, capfd: pytest.CaptureFixture[str]
) -> None:
    heard = np.concatenate(list(SentSound(mp3(noise), RATE_HZ)))
    assert len(heard) / RATE_HZ == pytest.approx(5, abs=0.2)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "MP3", "OGG"])
@pytest.mark.parametrize("channels", [1, 2])
def test_blocks_are_the_whole(
    noise: Samples, kind: str, channels: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x"
    soundfile.write(path, np.stack([noise] * channels, axis=1), RATE_HZ, format=kind)
    whole, _ = soundfile.read(path, dtype="float32", always_2d=True)
    for source in (path, io.BytesIO(path.read_bytes())):
        with SoundReader(source) as file:
            blocks = list(file.in_blocks(1000))
        assert {len(block) for block in blocks[:-1]} == {1000}
        assert np.abs(np.concatenate(blocks) - whole).max() < 1e-6
    assert capfd.readouterr().err == ""


def written(samples: Samples, kind: str, subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, RATE_HZ, format=kind, subtype=subtype)
    return file.getvalue()


def read(data: bytes) -> tuple[float, str]:
    """The seconds that can be read, and what is said of the rest."""
    sound = SentSound(data, RATE_HZ)
    return sum(map(len, sound)) / RATE_HZ, sound.damage


KINDS = [
    ("WAV", None), ("FLAC", None), ("MP3", None), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("AIFF", None),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "subtype"), KINDS)
def test_of_a_file_that_is_cut_off_the_rest_is_read_and_the_lack_told(
    noise: Samples, kind: str, subtype: str | None
) -> None:
    data = written(noise, kind, subtype)
    whole_s, damage = read(data)
    assert whole_s == pytest.approx(5, abs=0.05)
    assert damage == ""
    half_s, damage = read(data[: len(data) // 2])
    assert 1.9 < half_s < 2.6
    length = f"only {half_s:.1f} s" if kind == "OGG" else f"{half_s:.1f} of 5.0 s"
    assert damage == f"the file is damaged or cut off: {length} can be read"


@pytest.mark.parametrize("kind", ["FLAC", "MP3", "OGG"])
def test_of_a_file_with_a_hole_all_before_it_is_read(noise: Samples, kind: str) -> None:
    data = bytearray(written(noise, kind))
    middle = len(data) // 2
    data[middle : middle * 3 // 2] = bytes(range(256)) * (len(data) // 256)
    before_s, damage = read(bytes(data))
    assert 2.2 < before_s < 4
    assert damage == f"the file is damaged or cut off: {before_s:.1f} of 5.0 s can be read"


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0x7FFFF000])
def test_a_wav_that_was_written_as_a_stream_is_whole(noise: Samples, length: int) -> None:
    data = bytearray(written(noise, "WAV"))
    data[40:44] = length.to_bytes(4, "little")
    assert read(bytes(data)) == (5.0, "")


@pytest.mark.parametrize("size", [44, 45])
def test_a_file_without_a_sample_is_refused(noise: Samples, size: int) -> None:
    with pytest.raises(BadParameter, match="expected a recording, got one without any audio"):
        read(written(noise, "WAV")[:size])


def test_of_an_mp4_that_is_cut_off_the_rest_is_read_and_the_lack_told(
    noise: Samples, tmp_path: Path
) -> None:
    av: Any = pytest.importorskip("av")
    path = tmp_path / "noise.mp4"
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("aac", rate=RATE_HZ, layout="mono")
        for begin in range(0, len(noise), 1024):
            frame = av.AudioFrame.from_ndarray(
                noise[np.newaxis, begin : begin + 1024], format="fltp", layout="mono"
            )
            frame.sample_rate = RATE_HZ
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    data = path.read_bytes()
    assert read(data)[1] == ""
    half_s, damage = read(data[: len(data) // 2])
    assert 1 < half_s < 4
    assert damage.startswith(f"the file is damaged or cut off: {half_s:.1f} of 5.")
