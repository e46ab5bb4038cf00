"""JitterBuffer: audio of a full-duplex reply that waits until it is due."""

import math
from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from pipeline.audio import rms
from pipeline.loudness import QUIET_RMS
from pipeline.messages import Samples, Speech

LATE_S = 0.16
"""Lateness beyond which a piece is left out: two frames of 80 ms, the usual length in full-duplex
models. A delay up to this costs a short gap and no word; a longer one would make the model seem slow to
respond."""

PATIENCE_S = 2.0
"""Time to wait for such a quiet piece. Then speech is shortened, since people notice the lag."""

FADE_S = 0.005
"""Crossfade at a cut: long enough that nobody hears a click, too short to hear two sounds."""

ROUNDING_ERROR_S = 1e-6
"""Tolerance for sums of seconds, which must not round to a time before their sample."""

CALM_S, REPORT_S = 1.0, 5.0
"""Time without a late piece after which an episode of lateness is over, and time between reports while
it lasts."""


@dataclass(frozen=True, slots=True)
class _Piece:
    speech: Speech
    due_at: float
    arrived_at: float


class JitterBuffer:
    """Keeps a full-duplex reply on time: a piece is heard when it is due, or somewhat later, or not at
    all.

    Pieces play one after another, so a gap delays all that follow. The lag is made up for by shortening
    quiet pieces, or after `PATIENCE_S` any piece. A piece is shortened by no more than the time that it
    has waited here: a model that needs longer for every frame cannot be hurried. All times are on the
    session's clock.
    """

    def __init__(self) -> None:
        self._pieces: deque[_Piece] = deque()
        self._left_out: Samples | None = None
        """First audio left out since the last piece taken; the next piece fades in from it."""
        self._lag_s = 0.0
        self._lags_since = -math.inf
        self._late = 0
        self._worst_s = 0.0
        self._late_at = -math.inf
        self._reported_at = -math.inf

    def __len__(self) -> int:
        return len(self._pieces)

    @property
    def next_due(self) -> float:
        """Time at which the first piece is due; infinity: there is none."""
        return self._pieces[0].due_at if self._pieces else math.inf

    def put(self, speech: Speech, due_at: float, now: float) -> None:
        """Add a piece, which has just arrived."""
        self._pieces.append(_Piece(speech, due_at - ROUNDING_ERROR_S, now))

    def leave_out_late(self, now: float, *, counted: bool) -> None:
        """Discard pieces that are too late; if `counted`, they are reported."""
        while self._pieces and now - self._pieces[0].due_at > LATE_S:
            piece = self._pieces.popleft()
            speech = piece.speech
            self._lag_s = max(0.0, self._lag_s - len(speech.samples) / speech.sample_rate_hz)
            if self._left_out is None:
                self._left_out = speech.samples
            if counted:
                if not self._late:
                    self._reported_at = now
                self._late += 1
                self._late_at = now
                self._worst_s = max(self._worst_s, now - piece.due_at)

    def take(self, now: float, *, after_silence: bool) -> Speech:
        """Remove the first piece, to be played now; it may come back shortened. `after_silence`: the
        audio before it has been heard, so the loudspeaker is silent."""
        piece = self._pieces.popleft()
        speech, samples = piece.speech, piece.speech.samples
        rate_hz, fade = speech.sample_rate_hz, int(FADE_S * speech.sample_rate_hz)
        if self._lag_s < FADE_S:
            self._lags_since = now
        self._lag_s = max(now - piece.due_at, 0.0 if after_silence else self._lag_s)
        before, self._left_out = self._left_out, None
        surplus = int(min(self._lag_s, now - piece.arrived_at) * rate_hz)
        cut = min(surplus, len(samples) - fade)
        if cut > fade and (now - self._lags_since > PATIENCE_S or rms(samples) < QUIET_RMS):
            self._lag_s -= cut / rate_hz
            before, samples = samples if before is None else before, samples[cut:]
        if after_silence:
            before = np.zeros(fade, np.float32)
        return speech if before is None else replace(speech, samples=_crossfaded(before[:fade], samples))

    def report(self, now: float, *, over: bool = False) -> tuple[int, float] | None:
        """The number of pieces left out as late, and the worst lateness in seconds; None: nothing to
        report yet. `over`: the reply has ended."""
        due = over or now - self._late_at >= CALM_S or now - self._reported_at >= REPORT_S
        if not self._late or not due:
            return None
        late, worst_s = self._late, self._worst_s
        self._late, self._worst_s = 0, 0.0
        return late, worst_s


def _crossfaded(before: Samples, after: Samples) -> Samples:
    """Fade `after` in while `before` fades out."""
    length = min(len(before), len(after))
    rise = np.linspace(0, 1, length, dtype=np.float32)
    head = after[:length] * rise + before[:length] * (1 - rise)
    return np.concatenate((head, after[length:])).astype(np.float32)
