"""Audio arithmetic."""

import numpy as np
import pytest

from pipeline.audio import (
    Gain,
    WholeSamples,
    clean,
    from_pcm16,
    rms,
    split_at_quiet,
    to_mono,
    to_pcm16,
)


def test_int16_there_and_back() -> None:
    data = np.array([0, 1, -1, 32767, -32768, 12345], "<i2").tobytes()
    samples = from_pcm16(data)
    assert samples.dtype == np.float32
    assert samples.min() == -1
    back = np.frombuffer(to_pcm16(samples), "<i2").astype(int)
    assert np.abs(back - np.frombuffer(data, "<i2")).max() <= 1


def test_clean_leaves_what_is_fine_alone() -> None:
    samples = np.linspace(-0.9, 0.9, 100, dtype=np.float32)
    assert clean(samples) is samples
    assert len(clean(np.empty(0, np.float32))) == 0


def test_the_limiter_is_soft_and_keeps_the_order() -> None:
    samples = np.linspace(0, 3, 3000, dtype=np.float32)
    limited = clean(samples)
    assert limited.max() <= 1
    assert np.all(np.diff(limited) >= 0)
    assert np.abs(np.diff(limited, 2)).max() < 0.001, "a bend, not a corner"


def test_mono_is_the_mean_of_the_channels() -> None:
    stereo = np.array([[0.5, -0.5], [1.0, 0.0]], np.float32)
    assert to_mono(stereo).tolist() == [0, 0.5]


def test_long_audio_is_cut_where_it_is_quiet() -> None:
    samples = np.full(30_000, 0.5, np.float32)
    samples[7_000:7_400] = 0
    first, *rest = split_at_quiet(samples, 1000, longest_s=10)
    assert 7_000 <= len(first) <= 7_400
    assert sum(map(len, rest)) + len(first) == 30_000
    assert max(map(len, rest)) <= 10_000
    assert [len(part) for part in split_at_quiet(samples[:10], 1000, 10)] == [10]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("width", [1, 2])
def test_a_stream_of_samples_may_be_cut_anywhere(size: int, width: int) -> None:
    data, pieces = bytes(range(50)), WholeSamples()
    taken = [pieces.take(data[at : at + size], width) for at in range(0, 50, size)]
    assert b"".join(taken) == data
    assert not any(len(piece) % width for piece in taken)


def test_half_a_sample_can_be_dropped() -> None:
    pieces = WholeSamples()
    assert pieces.take(b"abc") == b"ab"
    pieces.clear()
    assert pieces.take(b"de") == b"de"


def test_rms() -> None:
    assert rms(np.array([0.5, -0.5], np.float32)) == 0.5
    assert rms(np.empty(0, np.float32)) == 0


def test_a_change_of_gain_is_spread_over_one_block() -> None:
    gain, block = Gain(), np.ones(5, np.float32)
    assert gain.apply(block) is block
    gain.target = 0.5
    assert gain.apply(block).tolist() == [1.0, 0.875, 0.75, 0.625, 0.5]
    assert gain.apply(block).tolist() == [0.5] * 5
    gain.target = 1.0
    assert gain.apply(block).tolist() == [0.5, 0.625, 0.75, 0.875, 1.0]
    assert gain.apply(block) is block
