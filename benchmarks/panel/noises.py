"""Noises of a throat, made of noise and harmonics: hums, coughs, sneezes and the like. Synthesizers that
read text spell them out.

Made otherwise than those of testing/sounds.py, on which the judge of speech is trained (training/), so
that the panel does not ask for what was learned.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from pipeline.messages import Samples

RATE_HZ = 24000

Chance = np.random.Generator
Formant = tuple[float, float]
"""Frequency and bandwidth of a resonance, in Hz."""

NASAL: tuple[Formant, ...] = ((270, 80), (1050, 190), (2150, 260), (3100, 380))
NEUTRAL: tuple[Formant, ...] = ((600, 95), (1250, 120), (2450, 180), (3450, 260))
ROUNDED: tuple[Formant, ...] = ((340, 85), (880, 130), (2250, 210), (3300, 300))

TOP_HZ = 5000
"""Highest harmonic of a voice."""


def to_samples(wave: npt.NDArray[np.floating]) -> Samples:
    """Computed in double precision, kept in single."""
    return wave.astype(np.float32)


def white(chance: Chance, count: int) -> Samples:
    """White noise."""
    return chance.standard_normal(count, dtype=np.float32)


def shape(samples: Samples, gain: Callable[[Samples], Samples]) -> Samples:
    """Filter with the gain that is given for each frequency."""
    size = 2 * len(samples)
    spectrum = np.fft.rfft(samples, size) * gain(np.fft.rfftfreq(size, 1 / RATE_HZ))
    return to_samples(np.fft.irfft(spectrum, size)[: len(samples)])


def fade(samples: Samples, ms: float = 8) -> Samples:
    """Fade in and out, so that nothing clicks."""
    count = min(int(ms * RATE_HZ / 1000), len(samples) // 2)
    ramp = np.linspace(0, 1, count, dtype=np.float32)
    faded = samples.copy()
    faded[:count] *= ramp
    faded[len(faded) - count :] *= ramp[::-1]
    return faded


def tract(formants: Sequence[Formant]) -> Callable[[Samples], Samples]:
    """The gain of a vocal tract with these resonances."""

    def gain(hz: Samples) -> Samples:
        whole = np.ones_like(hz)
        for center, width in formants:
            whole /= np.sqrt((1 - (hz / center) ** 2) ** 2 + (hz * width / center**2) ** 2)
        return whole

    return gain


def hum(
    chance: Chance,
    seconds: float,
    from_hz: float,
    to_hz: float,
    first: Sequence[Formant],
    last: Sequence[Formant] | None = None,
    breath: float = 0.03,
) -> Samples:
    """A voice whose pitch glides, through a vocal tract that changes from `first` to `last`."""
    count = int(seconds * RATE_HZ)
    way = np.linspace(0, 1, count)
    shake = np.cumsum(chance.standard_normal(count)) / np.sqrt(count)
    pitch_hz = (from_hz + (to_hz - from_hz) * way) * (1 + 0.012 * shake)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    begins, ends = tract(first), tract(last or first)
    voice = np.zeros(count)
    for number in range(1, int(TOP_HZ / max(from_hz, to_hz))):
        hz = number * pitch_hz
        loud = begins(hz) ** (1 - way) * ends(hz) ** way / number**1.5
        voice += loud * np.sin(number * phase)
    voice = voice / np.abs(voice).max() + breath * shape(white(chance, count), ends)
    envelope = np.minimum(1, np.minimum(way * seconds / 0.04, (1 - way) * seconds / 0.08))
    return to_samples(voice * envelope)


def breath(chance: Chance, seconds: float, formants: Sequence[Formant]) -> Samples:
    """Air through an open throat, rising and falling."""
    noise = shape(white(chance, int(seconds * RATE_HZ)), tract(formants))
    return to_samples(noise / np.abs(noise).max() * np.hanning(len(noise)))


def hummed(chance: Chance, word: str, hz: float) -> Samples:
    """One of `HUMMED`, at about this pitch."""
    return HUMMED[word](chance, hz)


def _twice(formants: Sequence[Formant]) -> Callable[[Chance, float], Samples]:
    def make(chance: Chance, hz: float) -> Samples:
        low = hum(chance, chance.uniform(0.13, 0.19), hz, 0.94 * hz, formants)
        between = 0.2 * breath(chance, chance.uniform(0.07, 0.11), formants)
        high = hum(chance, chance.uniform(0.18, 0.26), 1.05 * hz, 1.2 * hz, formants)
        return np.concatenate((low, between, high))

    return make


def _um(chance: Chance, hz: float) -> Samples:
    vowel = hum(chance, chance.uniform(0.18, 0.28), hz, 0.97 * hz, NEUTRAL)
    return np.concatenate((vowel, hum(chance, 0.24, 0.97 * hz, 0.9 * hz, NEUTRAL, NASAL)))


HUMMED: dict[str, Callable[[Chance, float], Samples]] = {
    "mm-hm": _twice(NASAL),
    "uh-huh": _twice(NEUTRAL),
    "mm": lambda chance, hz: hum(chance, chance.uniform(0.25, 0.4), hz, 1.12 * hz, NASAL),
    "um": _um,
    "uh": lambda chance, hz: hum(chance, chance.uniform(0.25, 0.45), hz, 0.92 * hz, NEUTRAL),
    "hmm": lambda chance, hz: hum(chance, chance.uniform(0.4, 0.6), 1.1 * hz, 0.85 * hz, NASAL),
}
"""Sounds that no synthesizer of ours reads well."""


def _bell(center_hz: float, width_hz: float) -> Callable[[Samples], Samples]:
    return lambda hz: np.exp(-(((hz - center_hz) / width_hz) ** 2))


def _burst(chance: Chance, seconds: float, gain: Callable[[Samples], Samples], decay: float) -> Samples:
    """Noise that begins within 4 ms and dies away; `decay` is its half-life as a share of the length."""
    count = int(seconds * RATE_HZ)
    noise = shape(white(chance, count), gain)
    at = np.arange(count) / RATE_HZ
    envelope = np.minimum(1, at / 0.004) * 0.5 ** (at / (decay * seconds))
    return to_samples(noise / np.abs(noise).max() * envelope)


def cough(chance: Chance, hz: float) -> Samples:
    """One to three bursts, some with a voiced end."""
    chest, throat, hiss = _bell(650, 500), _bell(1900, 900), _bell(3600, 1500)
    parts: list[Samples] = []
    for _ in range(chance.integers(1, 4)):
        burst = _burst(
            chance,
            chance.uniform(0.06, 0.25),
            lambda f: chest(f) + 0.7 * throat(f) + 0.5 * hiss(f) + 0.15 * (f > 150),
            0.3,
        )
        parts.append(fade(burst, 3))
        if chance.random() < 0.5:
            parts.append(0.3 * hum(chance, 0.09, 1.6 * hz, hz, NEUTRAL, breath=0.2))
        parts.append(np.zeros(int(chance.uniform(0.09, 0.16) * RATE_HZ), np.float32))
    return np.concatenate(parts)


def sneeze(chance: Chance, hz: float) -> Samples:
    """A breath in, and a rush out with a voice behind it."""
    intake = 0.5 * hum(chance, chance.uniform(0.1, 0.2), 1.4 * hz, 1.8 * hz, NEUTRAL, breath=0.3)
    rush = _burst(chance, chance.uniform(0.18, 0.28), lambda f: _bell(3100, 2800)(f) * (f > 300), 0.3)
    after = 0.35 * hum(chance, 0.15, 1.5 * hz, hz, ROUNDED, breath=0.2)
    return np.concatenate((intake, np.zeros(RATE_HZ // 25, np.float32), rush, after))


def throat(chance: Chance, hz: float) -> Samples:
    """A clearing of the throat: a rough, low voice in pulses."""
    seconds = chance.uniform(0.25, 0.55)
    voice = hum(chance, seconds, 0.7 * hz, 0.6 * hz, NEUTRAL, NASAL, breath=0.5)
    at = np.arange(len(voice)) / RATE_HZ
    pulses = 0.55 + 0.45 * np.sin(2 * np.pi * chance.uniform(20, 30) * at)
    return to_samples(voice * pulses + 0.4 * breath(chance, seconds, NEUTRAL))


def sniff(chance: Chance, hz: float) -> Samples:
    """One to three sniffs; the pitch of the voice does not matter."""
    parts: list[Samples] = []
    for _ in range(chance.integers(1, 4)):
        count = int(chance.uniform(0.15, 0.25) * RATE_HZ)
        noise = shape(white(chance, count), lambda f: _bell(4500, 2500)(f) + 0.1 * (f > 800))
        rise = np.linspace(0.2, 1, count) ** 1.5 * np.minimum(1, 8 * np.linspace(1, 0, count))
        parts.append(to_samples(noise / np.abs(noise).max() * rise))
        parts.append(np.zeros(int(chance.uniform(0.15, 0.25) * RATE_HZ), np.float32))
    return np.concatenate(parts)


NOISES: dict[str, Callable[[Chance, float], Samples]] = {
    "cough": cough, "sneeze": sneeze, "throat": throat, "sniff": sniff,
}  # fmt: skip
