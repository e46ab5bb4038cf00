"""Speech for tests: human recordings where available, and sentences spoken by the real synthesizer."""

import functools
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.audio import resample, to_mono
from pipeline.messages import Samples
from pipeline.turn import CancelToken

RATE_HZ = 16000
HUMAN = Path(__file__).parents[2] / "shared" / "audio"


def human(name: str) -> Samples:
    """A human recording at 16 kHz; skips the test if the recordings are missing."""
    path = HUMAN / name
    if not path.exists():
        pytest.skip(f"the human recordings are not here ({path})")
    return load(path)


def moonshine_asset(name: str) -> Samples:
    """A human recording from the package moonshine-voice."""
    moonshine_voice = pytest.importorskip("moonshine_voice", reason="no wheel for this machine")
    return load(Path(moonshine_voice.get_assets_path()) / name)


def load(path: Path) -> Samples:
    """Load a sound file as mono at 16 kHz."""
    samples, rate_hz = soundfile.read(path, dtype="float32")
    return resample(to_mono(samples), rate_hz, RATE_HZ)


@functools.cache
def spoken(text: str, voice: str | None = None) -> Samples:
    """A sentence spoken by eSpeak, at 16 kHz."""
    from TTS.espeak import EspeakSynthesizer

    chunks = EspeakSynthesizer(voice).synthesize(text, None, None, CancelToken())
    return np.concatenate([resample(c.samples, c.sample_rate_hz, RATE_HZ) for c in chunks])


def silence(ms: int) -> Samples:
    """Silence at 16 kHz."""
    return np.zeros(RATE_HZ * ms // 1000, np.float32)


def words(text: str) -> list[str]:
    """The words of a text, for comparison with a transcript."""
    cleaned = "".join(c if c.isalnum() or c in "' " else " " for c in text.lower())
    return cleaned.split()


def share_heard(expected: str, heard: str) -> float:
    """Share of the expected words that were heard."""
    wanted = words(expected)
    return sum(word in words(heard) for word in wanted) / len(wanted)
