"""EchoFinder: finds out whether the microphone hears the loudspeaker."""

from collections import deque
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from pipeline.messages import Samples

PART_S = 0.08
"""Length of the microphone's audio that is judged at a time: whole samples at every usual rate."""

LATEST_S = 0.4
"""The latest echo that is looked for, from the program to the loudspeaker and back."""

LATE_S = 0.2
"""Difference between the two streams that is more than the blocks of a sound card: one had a gap."""

BAND_HZ = (300, 3600)
"""The voice. There is hum below, and little but noise above."""

FRAME_S = 0.01
"""Length of a frame, of which the level is measured."""

AUDIBLE_DB = -60.0
"""Level of a played frame above which it is sound."""

LOUD_DB = 18.0
"""A played frame is loud if it is at most this far below the loudest one: its echo would stand out."""

FADING_DB_PER_S = 1.0
"""The loudest frame counts for less as time goes by, since the next reply may be softer."""

LOUD_FRAMES = 4
"""Number of loud frames before or within a part that make it worth comparing."""

QUIET_DB = 3.0
"""A frame of the microphone at most this far above the noise floor is quiet: nobody spoke, and there
was no echo that the voice detector would take for speech."""

OFF_DB = -95.0
"""Level of a microphone that is switched off, which says nothing about the echo."""

FLOOR_FRAMES = 300
"""Frames without a reply from which the noise floor is taken; a third of them suffices."""

QUIET_SHARE, ENOUGH_FRAMES, UNLIKE = 0.6, 30, 5.0
"""There is no echo if, at each lag, at least this share of at least so many loud frames was quiet, and
the likeness was below this. No echo was missed in the 200 simulated rooms that were at hand when this
was chosen, in 200 others, nor in 220 with other voices. Headphones are known after 0.7 to 2.2 s of the
reply."""

ALIKE, ALIKE_AFTER_NONE = 6.5, 5.7
"""Likeness from which there is an echo. The second one applies after there was none: better to mute a
user in headphones, as a new conversation does, than to let the program hear itself. Chosen with half of
the voices; with the others, headphones that are unplugged were noticed after 0.22 to 0.26 s of sounding
reply (medians of two kinds of rooms; at most 0.42), and 1 user of 14 who spoke over a reply for 1.5 s
was taken for an echo."""

PARTS = 12
"""Parts that are compared together, at the most."""

CLIP = 4.0
"""Bound of the likeness of one part, since two voices may be alike for as long as a vowel lasts."""


class Verdict(Enum):
    """The state of knowledge about the echo."""

    UNKNOWN = "unknown"
    ECHO = "echo"
    """Final: the canceller keeps what it has learned."""
    NO_ECHO = "no echo"
    """Headphones, as far as was heard yet."""


class EchoFinder:
    """Compares the played audio with the microphone's, at every lag.

    There is an echo if the two are alike: a whitened correlation, added up over parts, peaks at one lag.
    There is none if the microphone stays at its noise floor while a reply is loud. Neither is known
    while the user speaks over the first reply. Both streams may have any rates.
    """

    def __init__(self, heard_rate_hz: int, played_rate_hz: int) -> None:
        self.verdict = Verdict.UNKNOWN
        self._heard_hz, self._played_hz = heard_rate_hz, played_rate_hz
        self._heard: Samples = np.empty(0, np.float32)
        self._played: Samples = np.empty(0, np.float32)
        """Begins `LATEST_S` before `_heard`."""
        self._floor: deque[float] = deque(maxlen=FLOOR_FRAMES)
        self._loudest_db = AUDIBLE_DB
        self._parts: deque[Samples] = deque(maxlen=PARTS)
        lags = round(LATEST_S / FRAME_S) + 1
        self._loud, self._quiet = np.zeros(lags), np.zeros(lags)
        self.align()

    def align(self) -> None:
        """Pair what is played next with what is heard next, since a reply begins. Two sound cards
        drift apart between replies, and their blocks may come late."""
        silence = np.zeros(round(LATEST_S * self._played_hz), np.float32)
        self._played = np.concatenate((silence, self._played))[-len(silence) :]
        self._heard = self._heard[:0]
        self._parts.clear()

    def played(self, samples: Samples) -> None:
        """Take note of audio that goes to the loudspeaker."""
        self._played = np.concatenate((self._played, samples))
        self._compare()

    def heard(self, samples: Samples) -> None:
        """Take note of the microphone's audio."""
        self._heard = np.concatenate((self._heard, samples))
        self._compare()

    def _compare(self) -> None:
        part, step = round(PART_S * self._heard_hz), round(PART_S * self._played_hz)
        reach = round(LATEST_S * self._played_hz) + step
        while len(self._heard) >= part and len(self._played) >= reach:
            if self.verdict is not Verdict.ECHO:
                self._judge(self._played[:reach], self._heard[:part])
            self._heard, self._played = self._heard[part:], self._played[step:]
        ahead_s = len(self._heard) / self._heard_hz - len(self._played) / self._played_hz + LATEST_S
        if abs(ahead_s) > LATE_S:
            self.align()

    def _judge(self, played: Samples, heard: Samples) -> None:
        played_db, heard_db = levels(played, LATEST_S + PART_S), levels(heard, PART_S)
        self._loudest_db = max(self._loudest_db - FADING_DB_PER_S * PART_S, float(np.max(played_db)))
        if np.max(played_db) < AUDIBLE_DB:
            self._floor.extend(heard_db)
            return
        loud = played_db > max(self._loudest_db - LOUD_DB, AUDIBLE_DB)
        quiet = (
            heard_db < np.percentile(self._floor, 10) + QUIET_DB if self._floor else heard_db < OFF_DB
        )
        had_none = self.verdict is Verdict.NO_ECHO
        if np.sum(loud) >= LOUD_FRAMES and not (had_none and np.mean(quiet) > 0.5):
            self._parts.append(np.clip(likeness(played, heard, self._played_hz), -CLIP, CLIP))
        alike = self._alike()
        if alike >= (ALIKE_AFTER_NONE if had_none else ALIKE):
            self.verdict = Verdict.ECHO
        elif self._was_quiet(loud, quiet & (heard_db > OFF_DB)) and alike < UNLIKE:
            self.verdict = Verdict.NO_ECHO

    def _alike(self) -> float:
        """The highest peak of the latest parts together, in standard deviations of chance."""
        if not self._parts:
            return 0.0
        sums = np.cumsum(np.stack(self._parts)[::-1], axis=0)
        return float(np.max(np.max(np.abs(sums), axis=1) / np.sqrt(np.arange(1, len(sums) + 1))))

    def _was_quiet(self, loud: NDArray[np.bool_], quiet: NDArray[np.bool_]) -> bool:
        """True if so far the microphone was quiet while the reply was loud, at every lag."""
        if len(self._floor) < FLOOR_FRAMES // 3:
            return False
        loud_before = np.lib.stride_tricks.sliding_window_view(loud, len(quiet))
        self._loud += np.sum(loud_before, axis=1)
        self._quiet += np.sum(loud_before & quiet, axis=1)
        enough = self._loud >= ENOUGH_FRAMES
        return bool(np.all(enough & (self._quiet >= QUIET_SHARE * self._loud)))


def levels(samples: Samples, seconds: float) -> NDArray[np.float64]:
    """The levels of the frames within the band, in dB of full scale."""
    frames = round(seconds / FRAME_S)
    size = len(samples) // frames
    spectra = np.fft.rfft(samples[: size * frames].reshape(frames, size) * np.hanning(size))
    low, high = (round(edge * FRAME_S) for edge in BAND_HZ)
    power: NDArray[np.float64] = (
        np.sum(np.abs(spectra[:, low : high + 1]) ** 2, axis=1) * 16 / 3 / size**2
    )
    return 10 * np.log10(power + 1e-12)


def likeness(played: Samples, heard: Samples, played_rate_hz: int) -> Samples:
    """The correlation at each lag, in standard deviations of chance. Every frequency counts alike,
    however loud it is.

    The two may have different rates: equal durations have equal frequencies.
    """
    seconds = len(played) / played_rate_hz
    heard = np.concatenate((np.zeros(round(len(heard) * LATEST_S / PART_S), np.float32), heard))
    low, high = (round(edge * seconds) for edge in BAND_HZ)
    cross = np.fft.rfft(heard)[low:high] * np.conj(np.fft.rfft(played)[low:high])
    spectrum = np.zeros(round(4000 * seconds) + 1, np.complex64)
    spectrum[low:high] = cross / (np.abs(cross) + 1e-20)
    correlation = np.fft.irfft(spectrum)
    chance = np.sqrt(np.mean(correlation**2)) + 1e-9
    lags = round(len(correlation) * LATEST_S / seconds)
    at_each: Samples = (correlation[:lags] / chance).astype(np.float32)
    return at_each
