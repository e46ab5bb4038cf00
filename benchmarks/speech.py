"""Human speech for benchmarks: the utterances of a folder, or what the recognizer's package carries."""

import os
from pathlib import Path

import numpy as np
import soundfile

from pipeline.messages import Samples
from utils.audio import resample, to_mono
from VAD.endpointer import Endpointer, EndpointerSettings, Voice
from VAD.silero import SileroDetector

RATE_HZ = 16000
GAP_S = 1.5
"""Silence between two utterances: the pause that ends one, and the answer."""


def utterances() -> list[Samples]:
    """Each a sentence or two. S2S_SPEECH names the folder; by default ../shared/audio/utterances."""
    folder = Path(os.environ.get("S2S_SPEECH", "../shared/audio/utterances"))
    files = sorted(folder.glob("*.flac")) + sorted(folder.glob("*.wav"))
    if files:
        return [_load(file) for file in files]
    import moonshine_voice

    return [_load(Path(moonshine_voice.get_assets_path()) / "beckett.wav")]


def monologue(seconds: float) -> Samples:
    """Utterances with pauses between them, for so long."""
    parts: list[Samples] = []
    silence = np.zeros(int(GAP_S * RATE_HZ), np.float32)
    available = utterances()
    while sum(map(len, parts)) < seconds * RATE_HZ:
        parts += [available[len(parts) // 2 % len(available)], silence]
    return np.concatenate(parts)


def endpoints(audio: Samples) -> list[int]:
    """The samples at which the voice detector says, with its defaults, that an utterance is over."""
    detector = SileroDetector()
    stream, endpointer = detector.open(), Endpointer(EndpointerSettings(), 32)
    window = detector.window_samples
    return [
        start + window
        for start in range(0, len(audio) - window, window)
        if endpointer.step(stream.probability(audio[start : start + window])) is Voice.ENDED
    ]


def _load(file: Path) -> Samples:
    samples, rate_hz = soundfile.read(file, dtype="float32")
    return resample(to_mono(samples), rate_hz, RATE_HZ)
