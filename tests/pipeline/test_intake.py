"""Intake: blocks of any size and rate become windows; implausible input is left out."""

import numpy as np
import pytest

from pipeline.activity import Activity
from pipeline.channel import Channel
from pipeline.clock import SampleClock
from pipeline.events import AudioLost
from pipeline.gate import Gate
from pipeline.intake import BACKLOG_S, Intake
from pipeline.mailbox import Mailboxes
from pipeline.messages import AudioBlock, ManualTurnSignal

RATE_HZ, WINDOW = 16000, 512


class IntakeHarness:
    """An intake and the blocks that came through it."""

    def __init__(self) -> None:
        self.clock = SampleClock(RATE_HZ)
        self.gate = Gate()
        self.events = Mailboxes()
        capacity = int(BACKLOG_S * RATE_HZ / WINDOW)
        self.channel: Channel[AudioBlock | ManualTurnSignal] = Channel(capacity, Activity())
        self.intake = Intake(self.channel, self.gate, self.clock, self.events, RATE_HZ, WINDOW)

    def came(self) -> list[AudioBlock]:
        blocks = []
        while len(self.channel):
            block = self.channel.get(0)
            assert isinstance(block, AudioBlock)
            blocks.append(block)
        return blocks


def test_blocks_of_any_size_become_windows_without_a_gap() -> None:
    harness, audio = IntakeHarness(), np.arange(5000, dtype=np.float32) / np.float32(10000)
    for start, end in [(0, 1), (1, 2), (2, 700), (700, 4000), (4000, 5000)]:
        harness.intake.feed(audio[start:end], RATE_HZ, start / RATE_HZ)
    blocks = harness.came()
    assert [block.start_sample for block in blocks] == [WINDOW * i for i in range(9)]
    assert np.array_equal(np.concatenate([b.samples for b in blocks]), audio[: 9 * WINDOW])
    assert [b.captured_at for b in blocks] == pytest.approx([WINDOW * i / RATE_HZ for i in range(9)])


def test_another_rate_is_resampled_with_state() -> None:
    harness = IntakeHarness()
    time_s = np.arange(48000) / 48000
    tone = (0.5 * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32)
    for start in range(0, 48000, 480):
        harness.intake.feed(tone[start : start + 480], 48000, start / 48000)
    heard = np.concatenate([block.samples for block in harness.came()])
    assert len(heard) == RATE_HZ - RATE_HZ % WINDOW
    spectrum = np.abs(np.fft.rfft(heard[:8192] * np.hanning(8192)))
    assert np.argmax(spectrum) * RATE_HZ / 8192 == pytest.approx(440, abs=2)
    assert spectrum[300:].max() < spectrum.max() / 1000, "no clicks between the blocks"


@pytest.mark.parametrize("rate_hz", [24000, 48000, 44100, 8000])
def test_a_window_comes_with_the_packet_that_completes_it(rate_hz: int) -> None:
    """A resampler that held back even one sample would make the window wait for the next packet."""
    harness, packet_ms = IntakeHarness(), 1000 * WINDOW // RATE_HZ
    for sent in range(1, 26):
        size = packet_ms * rate_hz * sent // 1000 - packet_ms * rate_hz * (sent - 1) // 1000
        harness.intake.feed(np.zeros(size, np.float32), rate_hz)
        assert len(harness.came()) == 1


def test_a_client_may_change_its_rate() -> None:
    harness = IntakeHarness()
    harness.intake.feed(np.zeros(RATE_HZ, np.float32), RATE_HZ, 0)
    harness.intake.feed(np.zeros(8000, np.float32), 8000, 1)
    harness.intake.feed(np.zeros(RATE_HZ, np.float32), RATE_HZ, 2)
    assert sum(len(block.samples) for block in harness.came()) > 2.9 * RATE_HZ


def test_what_is_not_a_number_becomes_silence_and_peaks_are_limited() -> None:
    harness = IntakeHarness()
    wild = np.array([np.nan, np.inf, -np.inf, 7.0, -7.0, 0.25] + [0.0] * 506, np.float32)
    harness.intake.feed(wild, RATE_HZ, 0)
    (block,) = harness.came()
    assert block.samples[:3].tolist() == [0, 0, 0]
    assert 0.9 < block.samples[3] <= 1
    assert -1 <= block.samples[4] < -0.9
    assert block.samples[5] == 0.25


def test_the_gate_decides_by_the_time_of_capture() -> None:
    harness = IntakeHarness()
    harness.gate.shut(1.0)
    harness.gate.open_at(2.0)
    for captured_at in (0.9, 1.1, 1.9, 2.1):
        harness.intake.feed(np.full(WINDOW, captured_at / 10, np.float32), RATE_HZ, captured_at)
    blocks = harness.came()
    assert [round(block.captured_at, 1) for block in blocks] == [0.9, 2.1]
    assert blocks[1].start_sample - blocks[0].start_sample == 3 * WINDOW, "the gap shows"


def test_a_late_burst_is_not_taken_for_new() -> None:
    """The network held back half a second of audio and delivers it at once."""
    harness = IntakeHarness()
    for _ in range(10):
        harness.clock.advance(WINDOW)
        harness.intake.feed(np.zeros(WINDOW, np.float32), RATE_HZ)
    harness.clock.advance(16 * WINDOW)
    harness.intake.feed(np.zeros(16 * WINDOW, np.float32), RATE_HZ)
    times = [block.captured_at for block in harness.came()]
    assert times == pytest.approx([WINDOW * i / RATE_HZ for i in range(26)])


def test_more_than_five_seconds_of_backlog_are_dropped_and_reported() -> None:
    harness = IntakeHarness()
    mail = harness.events.subscribe()
    harness.intake.feed(np.zeros(7 * RATE_HZ, np.float32), RATE_HZ, 0)
    assert harness.intake.backlog_s == pytest.approx(BACKLOG_S, abs=0.04)
    assert len(harness.came()) == int(BACKLOG_S * RATE_HZ / WINDOW)
    harness.intake.feed(np.zeros(WINDOW, np.float32), RATE_HZ, 7)
    event = mail.fetch(0)
    assert isinstance(event, AudioLost)
    assert event.samples == pytest.approx(2 * RATE_HZ, abs=2 * WINDOW)


@pytest.mark.parametrize("rate_hz", [RATE_HZ, 44100])
def test_the_last_samples_are_not_lost(rate_hz: int) -> None:
    harness = IntakeHarness()
    harness.intake.feed(np.full(rate_hz, 0.1, np.float32), rate_hz, 0)
    harness.intake.finish()
    heard = np.concatenate([block.samples for block in harness.came()])
    assert len(heard) % WINDOW == 0
    assert np.sum(heard > 0.05) == pytest.approx(RATE_HZ, abs=40)
