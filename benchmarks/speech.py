"""Human speech for benchmarks: the utterances of a folder, or what the recognizer's package carries."""

import functools
import itertools
import os
from pathlib import Path

import numpy as np
import soundfile

from pipeline.messages import Samples
from utils.audio import resample, to_mono

RATE_HZ = 16000
GAP_S = 1.5
"""Silence between two utterances: the pause that ends one, and the answer."""


@functools.cache
def utterances() -> list[Samples]:
    """Each a sentence or two. S2S_SPEECH names the folder; by default ../shared/audio/utterances."""
    folder = Path(os.environ.get("S2S_SPEECH", "../shared/audio/utterances"))
    files = sorted(folder.glob("*.flac")) + sorted(folder.glob("*.wav"))
    if files:
        return [load(file) for file in files]
    import moonshine_voice

    return [load(Path(moonshine_voice.get_assets_path()) / "beckett.wav")]


def monologue(seconds: float, first: int = 0) -> Samples:
    """For so long, utterances with pauses between them, beginning with utterance `first`."""
    available = utterances()
    order = itertools.islice(itertools.cycle(available), first % len(available), None)
    silence = np.zeros(int(GAP_S * RATE_HZ), np.float32)
    audio = np.empty(0, np.float32)
    while len(audio) < seconds * RATE_HZ:
        audio = np.concatenate((audio, next(order), silence))
    return audio[: int(seconds * RATE_HZ)]


def questions(seconds: float, count: int) -> list[Samples]:
    """The `count` utterances whose length is nearest to `seconds`."""
    return sorted(utterances(), key=lambda audio: abs(len(audio) / RATE_HZ - seconds))[:count]


def load(file: Path) -> Samples:
    """A sound file as mono at 16 kHz."""
    samples, rate_hz = soundfile.read(file, dtype="float32")
    return resample(to_mono(samples), rate_hz, RATE_HZ)
