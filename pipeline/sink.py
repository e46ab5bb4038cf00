"""Sink: the output side of a connection. ClockPace: the pace of a sink without a clock of its own."""

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
    """The output side of a connection. No call waits; all times are on the session's clock.

    A sink gives *credit*: playout sends a frame only at `room_at`. A device that asks for audio returns
    infinity and wakes the playout when it calls back; a socket paces by the clock.
    """

    rate_hz: int
    frame_samples: int
    full_duplex: bool
    """True if the microphone does not hear this loudspeaker: headphones, or an echo canceller."""

    def room_at(self, now: float) -> float:
        """Time at which the next frame may be sent: up to `now`, later, or infinity: after a wake-up."""
        ...

    def play(self, frame: Frame) -> None:
        """Take a frame, to be heard after the earlier ones."""
        ...

    def unheard(self, now: float) -> int:
        """Number of unheard samples of those taken; an estimate if the client does not report."""
        ...

    def heard_all_at(self, now: float) -> float:
        """Time at which everything taken will have been heard; infinity: it will wake the playout."""
        ...

    def flush(self, turn: int, sample: int) -> bool:
        """Discard audio of `turn` from `sample` on. False: sent audio cannot be taken back."""
        ...

    def duck(self, turn: int, gain: float) -> bool:
        """Play queued audio at `gain`. False: the caller must apply it to the following frames."""
        ...


_ROUNDING_ERROR = 1e-3
"""Fraction of a sample, for the rounding of sums in seconds."""


class ClockPace:
    """Paces a sink without a clock of its own by the session's clock: a socket, a recording.

    A leaky bucket: the one number it keeps is the time at which everything sent will have been heard.
    """

    def __init__(self, rate_hz: int, frame_samples: int, lead_ms: float) -> None:
        self._rate_hz = rate_hz
        self._frame_s = frame_samples / rate_hz
        self._lead_s = max(lead_ms / 1000, self._frame_s)
        self._heard_all_at = -math.inf

    def sent(self, samples: int, now: float) -> None:
        """Note that `samples` more were sent."""
        self._heard_all_at = max(self._heard_all_at, now) + samples / self._rate_hz

    def room_at(self, now: float) -> float:
        """Time at which a frame may be sent without exceeding the lead over real time."""
        return self._heard_all_at + self._frame_s - self._lead_s

    def heard_all_at(self, now: float) -> float:
        return self._heard_all_at

    def unheard(self, now: float) -> int:
        """Samples in flight, rounded up: an uncertain sample counts as unheard."""
        in_flight = (self._heard_all_at - now) * self._rate_hz
        return math.ceil(max(0.0, in_flight - _ROUNDING_ERROR))

    def flushed(self, now: float) -> None:
        """Note that the audio in flight was discarded."""
        self._heard_all_at = min(self._heard_all_at, now)
