"""Intake: the path of the microphone's audio into a session."""

import threading
from collections.abc import Callable

import numpy as np

from pipeline.audio import clean
from pipeline.channel import Channel
from pipeline.clock import Clock
from pipeline.events import AudioLost, TalkSignalled
from pipeline.gate import Gate
from pipeline.lag import Lag
from pipeline.mailbox import Mailboxes
from pipeline.messages import AudioBlock, ManualTurn, ManualTurnSignal, Samples
from pipeline.resampler import Resampler

BACKLOG_S = 5.0
"""Live audio that may wait for the VAD before it is dropped. The VAD needs 0.1 ms for 32 ms, so a
backlog of five seconds means that the machine was stopped."""


class Intake:
    """Turns blocks of any size and rate into windows of the VAD's size and rate.

    Never waits. Audio comes on the thread of the connection, signals may come on another.
    """

    def __init__(
        self,
        channel: Channel[AudioBlock | ManualTurnSignal],
        gate: Gate,
        clock: Clock,
        events: Mailboxes,
        rate_hz: int,
        window_samples: int,
        enhance: Callable[[Samples], Samples] | None = None,
    ) -> None:
        self.on_heard: Callable[[Samples, int], object] | None = None
        """Called with each block of audio and its rate; must not wait."""
        self.lag = Lag(clock.now())
        """Time that audio has waited for the VAD when more arrives."""
        self.rate_hz = rate_hz
        self.window_samples = window_samples
        self._channel = channel
        self._gate = gate
        self._clock = clock
        self._events = events
        self._enhance = enhance
        self._input_rate_hz = rate_hz
        self._resampler = Resampler(rate_hz, rate_hz)
        self._rest: Samples = np.empty(0, np.float32)
        self._position = 0
        self._offered_at = clock.now()
        self._lost = 0
        self._lock = threading.Lock()

    @property
    def is_full(self) -> bool:
        """True if no more audio can wait for the VAD."""
        return self.backlog_s >= BACKLOG_S - self.window_samples / self.rate_hz

    @property
    def backlog_s(self) -> float:
        """Audio that waits for the VAD, in seconds."""
        return len(self._channel) * self.window_samples / self.rate_hz

    def feed(self, samples: Samples, rate_hz: int, captured_at: float | None = None) -> None:
        """Take mono float32 audio; its first sample was captured at `captured_at`.

        None: its last sample was captured just now. A burst after a hiccup of the network comes in one
        piece, and is then judged by the time at which it was spoken.
        """
        now = self._clock.now()
        if captured_at is None:
            captured_at = now - len(samples) / rate_hz
        with self._lock:
            self.lag.note(now - self._offered_at if len(self._channel) else 0.0, now)
            if self.on_heard is not None:
                self.on_heard(samples, rate_hz)
            audio = self._resampled(clean(samples), rate_hz)
            self._cut(audio if self._enhance is None else self._enhance(audio), captured_at)

    def finish(self) -> None:
        """End the audio; the last window is filled up with silence."""
        with self._lock:
            self._fill_window()

    def signal(self, action: ManualTurn) -> None:
        """Mark this place in the audio: the user began, ended or took back an utterance.

        The current window is filled up with silence, which counts as heard.
        """
        with self._lock:
            self._events.emit(TalkSignalled(action.value))
            self._fill_window()
            self._channel.put(ManualTurnSignal(action, self._position))

    def _fill_window(self) -> None:
        missing = -len(self._rest) % self.window_samples
        self._cut(np.zeros(missing, np.float32), self._clock.now())

    def _cut(self, audio: Samples, captured_at: float) -> None:
        window_at = captured_at - len(self._rest) / self.rate_hz
        if len(self._rest):
            audio = np.concatenate((self._rest, audio))
        whole = len(audio) - len(audio) % self.window_samples
        for start in range(0, whole, self.window_samples):
            self._offer(audio[start : start + self.window_samples], window_at)
            window_at += self.window_samples / self.rate_hz
        self._rest = audio[whole:]

    def _resampled(self, samples: Samples, rate_hz: int) -> Samples:
        if rate_hz != self._input_rate_hz:
            self._input_rate_hz = rate_hz
            self._resampler = Resampler(rate_hz, self.rate_hz)
        return self._resampler.feed(samples)

    def _offer(self, window: Samples, captured_at: float) -> None:
        start = self._position
        self._position += len(window)
        if not self._gate.takes(captured_at):
            return
        self._offered_at = self._clock.now()
        if not self._channel.offer(AudioBlock(window, start, captured_at)):
            self._lost += len(window)
        elif self._lost:
            self._events.emit(AudioLost(self._lost, f"more than {BACKLOG_S:.0f} s were waiting"))
            self._lost = 0
