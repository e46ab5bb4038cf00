"""Sounds that are no turns: hums, coughs, sneezes, sniffs; and rooms. Generated, different each time."""

import math

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from pipeline.messages import Samples

RATE_HZ = 16000
Wave = NDArray[np.float64]

OPEN = ((640, 100), (1190, 120), (2400, 180), (3400, 260))
"""Resonances of a neutral vowel: frequency and bandwidth in Hz."""
SHUT = ((260, 80), (1050, 220), (2250, 260), (3250, 380))
"""Resonances of a hum with closed lips."""
HUMS = ("mm-hm", "uh-huh", "um", "uh", "hmm")


def hum(chance: Generator, kind: str, pitch_hz: float) -> Samples:
    """Generate one of `HUMS`, of a source and a filter: synthesizers read them as words."""
    rise, fall = chance.uniform(1.1, 1.35), chance.uniform(0.8, 0.97)
    match kind:
        case "mm-hm" | "uh-huh":
            mouth = SHUT if kind == "mm-hm" else OPEN
            first = _voiced(chance, chance.uniform(0.1, 0.2), (pitch_hz, pitch_hz * fall), mouth, mouth)
            breath = _noise(chance, chance.uniform(0.05, 0.1), mouth) * 0.15
            second = _voiced(
                chance, chance.uniform(0.15, 0.28), (pitch_hz, pitch_hz * rise), mouth, mouth
            )
            sound = np.concatenate((first, breath, second))
        case "um":
            seconds = chance.uniform(0.3, 0.55)
            sound = _voiced(chance, seconds, (pitch_hz, pitch_hz * fall), OPEN, SHUT)
        case "uh":
            sound = _voiced(chance, chance.uniform(0.2, 0.45), (pitch_hz, pitch_hz * fall), OPEN, OPEN)
        case _:
            seconds = chance.uniform(0.3, 0.65)
            sound = _voiced(chance, seconds, (pitch_hz * rise, pitch_hz * fall), SHUT, SHUT)
    return leveled(sound)


def cough(chance: Generator, pitch_hz: float) -> Samples:
    """Generate one to three bursts of noise with a voiced end."""
    parts: list[Wave] = []
    for _ in range(int(chance.integers(1, 4))):
        seconds = chance.uniform(0.06, 0.26)
        burst = _noise(chance, seconds, ((750, 600), (1900, 1000), (3400, 1600)), decay_s=seconds / 2.5)
        voice = _voiced(chance, 0.09, (pitch_hz * 1.5, pitch_hz), OPEN, OPEN, breath=0.3) * 0.3
        parts += [burst, voice * chance.integers(2), np.zeros(int(chance.uniform(0.05, 0.2) * RATE_HZ))]
    return leveled(np.concatenate(parts))


def sneeze(chance: Generator, pitch_hz: float) -> Samples:
    """Generate an inhaled vowel, a hiss and a voiced end."""
    inhaled = _voiced(chance, 0.16, (pitch_hz * 1.3, pitch_hz * 1.7), OPEN, OPEN, breath=0.4) * 0.5
    hiss = _noise(chance, 0.2, ((3200, 3500), (5200, 3000)), decay_s=0.08)
    end = (
        _voiced(chance, 0.16, (pitch_hz * 1.4, pitch_hz), ((330, 90), (900, 130), (2300, 220)), SHUT)
        * 0.4
    )
    sounds = (inhaled, np.zeros(int(chance.uniform(0.02, 0.08) * RATE_HZ)), hiss, end)
    return leveled(np.concatenate(sounds))


def sniff(chance: Generator, pitch_hz: float) -> Samples:
    """Generate air drawn through the nose; it has no pitch."""
    drawn = _noise(chance, chance.uniform(0.12, 0.25), ((4300, 2600), (6000, 3000)))
    return leveled(drawn * np.linspace(0.2, 1.0, len(drawn)) ** 1.5)


def clearing(chance: Generator, pitch_hz: float) -> Samples:
    """Generate a throat that is cleared: a low voice, pulsed 20 to 30 times a second."""
    seconds = chance.uniform(0.25, 0.6)
    sound = _voiced(chance, seconds, (pitch_hz * 0.75, pitch_hz * 0.6), OPEN, SHUT, breath=0.6)
    pulses = np.sin(2 * np.pi * chance.uniform(20, 30) * np.arange(len(sound)) / RATE_HZ)
    return leveled(sound * (0.55 + 0.45 * pulses))


TICS = (cough, sneeze, sniff, clearing)


def in_room(
    chance: Generator, sound: Samples, reverberation_s: float, direct: float, cutoff_hz: float
) -> Samples:
    """Move a sound away: less `direct` sound (1 and more: near) beside the reverberation, and duller."""
    length = int(reverberation_s * RATE_HZ)
    tail = chance.standard_normal(length) * 10 ** (-3 * np.arange(length) / length)
    tail[: RATE_HZ // 200] = 0
    tail /= math.sqrt(float(tail @ tail))
    size = len(sound) + length
    spectrum = np.fft.rfft(sound, size)
    hz = np.fft.rfftfreq(size, 1 / RATE_HZ)
    room = (direct + np.fft.rfft(tail, size)) / np.sqrt(1 + (hz / cutoff_hz) ** 4)
    return leveled(np.fft.irfft(spectrum * room, size))


def active_rms(sound: Wave | Samples) -> float:
    """Level of the loud parts of a sound: the frames within 20 dB of the loudest."""
    frame = min(RATE_HZ // 50, len(sound))
    means = np.square(sound[: len(sound) // frame * frame]).reshape(-1, frame).mean(axis=1)
    return math.sqrt(float(means[means >= means.max() / 100].mean()) + 1e-12)


def leveled(sound: Wave | Samples, rms: float = 0.05) -> Samples:
    """Bring the loud parts of a sound to a level; peaks stay below 1."""
    gain = min(rms / active_rms(sound), 0.98 / (float(np.abs(sound).max()) + 1e-9))
    return (sound * gain).astype(np.float32)


def _resonance(formants: tuple[tuple[float, float], ...], hz: Wave) -> Wave:
    gain = np.ones_like(hz)
    for center, width in formants:
        gain *= 1 / np.sqrt((1 - (hz / center) ** 2) ** 2 + (hz * width / center**2) ** 2)
    return gain


def _voiced(
    chance: Generator,
    seconds: float,
    pitch_hz: tuple[float, float],
    mouth: tuple[tuple[float, float], ...],
    mouth_at_end: tuple[tuple[float, float], ...],
    breath: float = 0.04,
) -> Wave:
    """Sum the harmonics of a gliding pitch, with the resonances of a mouth that moves."""
    length = int(seconds * RATE_HZ)
    glide = np.linspace(0, 1, length)
    drift = 1 + 0.01 * np.cumsum(chance.standard_normal(length)) / math.sqrt(length)
    pitch = (pitch_hz[0] + (pitch_hz[1] - pitch_hz[0]) * glide) * drift
    phase = 2 * np.pi * np.cumsum(pitch) / RATE_HZ
    sound = np.zeros(length)
    for harmonic in range(1, int(4000 / max(pitch_hz))):
        hz = harmonic * pitch
        mix = _resonance(mouth, hz) ** (1 - glide) * _resonance(mouth_at_end, hz) ** glide
        sound += mix / harmonic**1.6 * np.sin(harmonic * phase)
    sound /= np.abs(sound).max() + 1e-9
    sound += breath * _noise(chance, seconds, mouth)[:length]
    return sound * np.minimum(1, np.minimum(glide * seconds / 0.03, (1 - glide) * seconds / 0.07))


def _noise(
    chance: Generator,
    seconds: float,
    formants: tuple[tuple[float, float], ...],
    decay_s: float | None = None,
) -> Wave:
    """Shape noise by the resonances of a mouth, falling off after a sudden start, or swelling."""
    length = int(seconds * RATE_HZ)
    spectrum = np.fft.rfft(chance.standard_normal(length))
    hz = np.fft.rfftfreq(length, 1 / RATE_HZ)
    bands = sum((np.exp(-(((hz - f) / w) ** 2)) for f, w in formants), np.zeros_like(hz))
    noise: Wave = np.fft.irfft(spectrum * (bands + 0.05), length)
    at = np.arange(length) / RATE_HZ
    shape = np.hanning(length) if decay_s is None else np.minimum(1, at / 0.004) * np.exp(-at / decay_s)
    noise *= shape / (np.abs(noise).max() + 1e-9)
    return noise
