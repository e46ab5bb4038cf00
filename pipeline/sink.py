"""Sink: where a connection takes the audio of a reply. ClockPace: the pace of one that has no clock."""

import math
from dataclasses import dataclass
from typing import Protocol

from pipeline.messages import Samples


@dataclass(frozen=True, slots=True)
class Frame:
    """A piece of a reply, ready to be heard: mono float32 at the rate of the sink."""

    turn: int
    sample: int
    """Position of the first sample in the reply of that turn."""
    samples: Samples


class Sink(Protocol):
    """The loudspeaker's side of a connection. No call waits; all times are of the session's clock.

    A sink gives *credit*: playout sends a frame only at `room_at`. A device that asks for audio says
    "when I call back" (infinity) and wakes the playout; a socket paces by the clock.
    """

    rate_hz: int
    frame_samples: int
    full_duplex: bool
    """Whether the microphone does not hear this loudspeaker: headphones, or an echo canceller."""

    def room_at(self, now: float) -> float:
        """When the next frame may be sent: `now` or earlier, a later moment, or inf: after a wake-up."""
        ...

    def play(self, frame: Frame) -> None:
        """Take a frame, to be heard after those before."""
        ...

    def unheard(self, now: float) -> int:
        """How many of the samples taken have not been heard; an estimate where nobody reports."""
        ...

    def heard_all_at(self, now: float) -> float:
        """When everything that was taken will have been heard; inf: it will wake the playout."""
        ...

    def flush(self, turn: int, sample: int) -> bool:
        """Let nothing of `turn` be heard from `sample` on. False: what was sent cannot be taken back."""
        ...

    def duck(self, turn: int, gain: float) -> bool:
        """Play what is queued at `gain`. False: this must be done to the frames that follow."""
        ...


_ROUNDING_ERROR = 1e-3
"""Of a sample, in sums of seconds."""


class ClockPace:
    """Paces by a clock what has no clock of its own: a socket, a recording.

    Keeps one number, the moment at which all that was sent will have been heard (a leaky bucket).
    """

    def __init__(self, rate_hz: int, frame_samples: int, lead_ms: float) -> None:
        self._rate_hz = rate_hz
        self._frame_s = frame_samples / rate_hz
        self._lead_s = max(lead_ms / 1000, self._frame_s)
        self._heard_all_at = -math.inf

    def sent(self, samples: int, now: float) -> None:
        """`samples` more were sent."""
        self._heard_all_at = max(self._heard_all_at, now) + samples / self._rate_hz

    def room_at(self, now: float) -> float:
        """When a frame may be sent so that the lead over real time stays within bounds."""
        return self._heard_all_at + self._frame_s - self._lead_s

    def heard_all_at(self, now: float) -> float:
        return self._heard_all_at

    def unheard(self, now: float) -> int:
        """Samples in flight, rounded up: what is uncertain was not heard."""
        in_flight = (self._heard_all_at - now) * self._rate_hz
        return math.ceil(max(0.0, in_flight - _ROUNDING_ERROR))

    def flushed(self, now: float) -> None:
        """What was sent was taken back."""
        self._heard_all_at = min(self._heard_all_at, now)
