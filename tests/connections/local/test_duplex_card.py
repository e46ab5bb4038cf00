"""A full-duplex model on a sound card whose loudspeaker has a clock of its own."""

from types import SimpleNamespace

import numpy as np
import pytest

from arguments_classes.local_arguments import LocalArguments
from connections.local import audio_streamer
from connections.local.audio_streamer import LocalAudioStreamer
from pipeline.clock import SampleClock
from pipeline.events import ErrorEvent, FramesLate, NoticeGiven
from testing.conversation import settled
from testing.duplex import RATE_HZ, DuplexConversation, FakeDuplexModel
from tests.S2S.test_duplex_clock import said_at, speech_of
from utils.shutdown import StopRequest

BLOCK = 512
STEP = 32
"""Samples: 2 ms, the resolution of the test's time."""
AHEAD_S = 0.02
"""Time after which a block that the card takes is heard."""


class Card:
    """A microphone that keeps the session's time, and a loudspeaker that is `fast` by a fraction."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fast: float) -> None:
        self.clock = SampleClock(RATE_HZ)
        end = SimpleNamespace(rate_hz=RATE_HZ)
        port = SimpleNamespace(microphone=end, loudspeaker=end, played_samples=BLOCK)
        monkeypatch.setattr(audio_streamer, "choose_port", lambda *_: port)
        monkeypatch.setattr(audio_streamer, "time", SimpleNamespace(monotonic=self.clock.now))
        self.streamer = LocalAudioStreamer(LocalArguments(echo_cancellation=False), StopRequest())
        self.talk = DuplexConversation(FakeDuplexModel(), sink=self.streamer, clock=self.clock)
        self.streamer._session = self.talk.session
        self.latencies: list[tuple[float, float]] = []
        """Time at which a block was heard, and its latency in seconds."""
        self.silent = 0
        """Number of blocks without audio, after the first one with it."""
        self._block_s = BLOCK / RATE_HZ / (1 + fast)
        self._plays_at = 0.0
        self._said = 0

    def run(self, seconds: float) -> None:
        until = self.clock.now() + seconds
        while self.clock.now() < until:
            self.clock.advance(STEP)
            settled(self.talk.session)
            now = self.clock.now()
            while now >= 0.02 * (self._said + 1):
                self.streamer._hear(speech_of(self._said), 0.02 * self._said)
                self._said += 1
            settled(self.talk.session)
            if now >= self._plays_at:
                self._plays_at += self._block_s
                self._play(now)
            settled(self.talk.session)

    def _play(self, now: float) -> None:
        level = float(np.median(self.streamer._next_block(BLOCK, AHEAD_S)))
        if level > 0:
            self.latencies.append((now, (now + AHEAD_S - said_at(level)) % 80))
        elif self.latencies:
            self.silent += 1


@pytest.mark.parametrize("fast", [0.0, 0.001, -0.001])
def test_the_clocks_of_two_cards_may_differ(monkeypatch: pytest.MonkeyPatch, fast: float) -> None:
    """Ten times as much as real cards do, for as long as it takes to drift by 150 ms."""
    card = Card(monkeypatch, fast)
    with card.talk as talk:
        card.run(150)
        first = [latency for at, latency in card.latencies if at < 5]
        last = [latency for at, latency in card.latencies if at > 145]
        assert 0.16 < np.median(first) < 0.19
        assert abs(np.median(last) - np.median(first)) < (0.12 if fast else 0.01)
        assert card.silent <= (5 if fast else 0)
        assert talk.events(FramesLate, ErrorEvent) == []
        assert [notice.code for notice in talk.events(NoticeGiven)] == ["echo"]


def test_after_a_stall_the_card_plays_on_time_again(monkeypatch: pytest.MonkeyPatch) -> None:
    card = Card(monkeypatch, 0.0)
    with card.talk as talk:
        talk.model.compute_s = {25: 2.0}
        card.run(12)
        before = {round(latency, 3) for at, latency in card.latencies if at < 2}
        after = {round(latency, 3) for at, latency in card.latencies if at > 8}
        assert max(after) <= max(before) + 0.064, "two blocks wait for the card"
        assert talk.events(FramesLate)
