"""SoundReader: blocks are the same as the whole, and no library complains on standard error."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from connections.openai_audio.recording import sound_of
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
    heard = np.concatenate(list(sound_of(mp3(noise), RATE_HZ)))
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
