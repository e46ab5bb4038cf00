"""Resampling of a stream: its delay, its spectrum, its joins and its length."""

import copy
import math

import numpy as np
import pytest

from pipeline.messages import Samples
from pipeline.resampler import Resampler

PAIRS_HZ = [
    (24000, 16000),  # a client of the Realtime protocol
    (48000, 16000),  # WebRTC, most sound cards
    (44100, 16000),
    (8000, 16000),  # telephony
    (22050, 24000),  # most of Piper's voices
    (16000, 24000),
    (24000, 48000),
    (22050, 8000),
]
ODD_PAIR_HZ = (47999, 16000)
"""Rates without a common divisor, for which the filter is not computed at every offset."""

UNHEARD_DB = -77
"""Below this, aliases and images are masked by the speech itself, and far under a room's noise."""


def delay_s(from_hz: int, to_hz: int) -> float:
    """The delay that the class promises: 24 samples of the lower rate, in whole samples of the input."""
    return math.ceil(24 * from_hz / min(from_hz, to_hz)) / from_hz


def sweep(first_hz: float, last_hz: float, rate_hz: int, late_s: float = 0.0) -> Samples:
    """A second of a sine whose frequency rises evenly, from 5 ms on; `late_s` after the beginning."""
    time_s = np.arange(rate_hz) / rate_hz - late_s
    wave = np.sin(2 * np.pi * time_s * (first_hz + (last_hz - first_hz) * time_s / 2))
    return (wave * np.clip(time_s / 0.005, 0, 1)).astype(np.float32)


def in_packets(samples: Samples, from_hz: int, to_hz: int, packet_ms: float = 20) -> Samples:
    stream, ends = Resampler(from_hz, to_hz), np.arange(0, len(samples), from_hz * packet_ms / 1000)
    return np.concatenate([stream.feed(part) for part in np.split(samples, ends[1:].astype(int))])


def loudest_db(samples: Samples) -> float:
    return 20 * math.log10(np.abs(samples).max() + 1e-9)


@pytest.mark.parametrize(("from_hz", "to_hz"), [*PAIRS_HZ, ODD_PAIR_HZ])
@pytest.mark.parametrize("packet_ms", [2.5, 20, 32])
def test_no_samples_are_held_back(from_hz: int, to_hz: int, packet_ms: float) -> None:
    stream, fed, came = Resampler(from_hz, to_hz), 0, 0
    for packet in range(1, 100):
        size = int(packet * packet_ms * from_hz / 1000) - fed
        fed += size
        came += len(stream.feed(np.zeros(size, np.float32)))
        assert came == math.ceil(fed * to_hz / from_hz)


def test_a_client_at_24_khz_waits_less_than_5_ms_longer_than_one_at_16() -> None:
    """Both ways: what the user says, and the answer of a voice at 22,050 Hz."""
    assert delay_s(24000, 16000) == 0.0015
    assert delay_s(24000, 16000) + delay_s(22050, 24000) < 0.0027


@pytest.mark.parametrize(("from_hz", "to_hz"), [*PAIRS_HZ, ODD_PAIR_HZ])
def test_a_sweep_comes_out_as_it_went_in_only_later(from_hz: int, to_hz: int) -> None:
    """Up to 85 % of the lower Nyquist frequency: neither clicks nor images nor another delay."""
    flat_hz = 0.85 * min(from_hz, to_hz) / 2
    heard = in_packets(sweep(50, flat_hz, from_hz), from_hz, to_hz)
    expected = sweep(50, flat_hz, to_hz, delay_s(from_hz, to_hz))
    assert len(heard) == len(expected)
    settled = slice(to_hz // 50, None)
    gain_db = loudest_db(heard[settled]) - loudest_db(expected[settled])
    assert abs(gain_db) < 0.1
    below = slice(to_hz // 50, int(0.9 * to_hz))  # to 76 %, where the pass band has no slope yet
    allowed_db = -60 if (from_hz, to_hz) == ODD_PAIR_HZ else -70
    assert loudest_db(heard[below] - expected[below]) < allowed_db


@pytest.mark.parametrize(("from_hz", "to_hz"), [(f, t) for f, t in [*PAIRS_HZ, ODD_PAIR_HZ] if f > t])
def test_what_lies_above_the_lower_rate_is_gone(from_hz: int, to_hz: int) -> None:
    heard = in_packets(sweep(1.065 * to_hz / 2, from_hz / 2, from_hz), from_hz, to_hz)
    assert loudest_db(heard[to_hz // 50 :]) < UNHEARD_DB


@pytest.mark.parametrize(("from_hz", "to_hz"), [(f, t) for f, t in PAIRS_HZ if f < t])
def test_nothing_is_added_above_the_lower_rate(from_hz: int, to_hz: int) -> None:
    heard = in_packets(sweep(50, 0.85 * from_hz / 2, from_hz), from_hz, to_hz)[to_hz // 50 :]
    spectrum = np.abs(np.fft.rfft(heard * np.blackman(len(heard))))
    added = spectrum[math.ceil(1.065 * from_hz / 2 * len(heard) / to_hz) :]
    assert 20 * math.log10(added.max() / spectrum.max()) < UNHEARD_DB


@pytest.mark.parametrize(("from_hz", "to_hz"), [*PAIRS_HZ, ODD_PAIR_HZ])
def test_blocks_of_any_size_join_to_the_same(from_hz: int, to_hz: int) -> None:
    noise = np.random.default_rng(5).uniform(-0.5, 0.5, from_hz // 2).astype(np.float32)
    stream, ends = Resampler(from_hz, to_hz), [0, 1, 2, 2, 30, 37, 480, 1000, 1001, 3000, from_hz // 2]
    blocks = [stream.feed(noise[a:b]) for a, b in zip([0, *ends], [*ends, None], strict=True)]
    assert np.abs(np.concatenate(blocks) - Resampler(from_hz, to_hz).feed(noise)).max() < 1e-6


def test_a_copy_is_a_stream_of_its_own_with_the_same_past() -> None:
    noise = np.random.default_rng(6).uniform(-0.5, 0.5, 1000).astype(np.float32)
    stream = Resampler(24000, 16000)
    stream.feed(noise)
    twin = copy.copy(stream)
    twin.feed(np.ones(7, np.float32))
    whole = Resampler(24000, 16000).feed(np.concatenate((noise, noise)))
    assert np.abs(stream.feed(noise) - whole[667:]).max() < 1e-6


def test_at_equal_rates_samples_pass_through() -> None:
    samples = np.ones(7, np.float32)
    assert Resampler(16000, 16000).feed(samples) is samples
