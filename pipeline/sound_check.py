"""SoundCheck: recognizes, in an engine's output, sound that no working engine makes."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from pipeline.errors import BadAudio
from pipeline.messages import AudioChunk, Samples
from pipeline.settings import SessionSettings
from pipeline.turn import CancelToken
from pipeline.words import has_words

T = TypeVar("T")

WINDOW_S = 0.02

QUIET = 0.002
"""A window is silent if its lowest and highest sample are no farther apart than this: a peak of -60 dB.
If a voice of 60 dB SPL is at about -20 dB, this is quieter than a quiet room (20 to 30 dB SPL).
Whispered words are 20 dB louder."""

OFFSET = 0.03
"""Level above which a window without sound counts as a constant, not as silence: cheap sound cards have
an offset of up to 0.02."""

MIN_SOUND_S = 0.06
"""Words have more sound than this: the shortest measured have 0.14 s. A click counts as up to 0.04 s,
since it may touch two windows."""

MAX_SILENCE_S = 10.0
"""Silence that is a fault even before the end of a text: no sentence has such a pause."""

MAX_CONSTANT_S = 1.0

FULL_SCALE = 0.999
CLIPPED_WINDOW_S = 1.0
MAX_CLIPPED = 0.5
"""Largest share of samples at or over full scale, in a window of a second. Speech with peaks 12 dB over
full scale reaches 0.39, with 20 dB 0.65; see docs/decisions.md."""


@dataclass(frozen=True, slots=True)
class SoundSource:
    """The engine that makes the audio of a session, and the sound to expect of it."""

    stage: str
    engine: Callable[[], str]
    """Name of the engine, for errors; another engine may replace it."""
    is_duplex: bool = False
    """True if the engine sends audio all the time, which is silent while it listens."""
    is_framed: bool = False
    """True if the engine answers frame by frame in the reply mode ``stream``, and may have nothing to
    say."""
    is_checked: bool = True
    """False: all audio is played unchecked. Set only by tests, for engines with random weights."""

    def new_check(self, settings: SessionSettings) -> "SoundCheck | None":
        """A check for one answer; None: the answer is not to be checked, or not spoken."""
        if not (self.is_checked and settings.spoken):
            return None
        in_frames = self.is_framed and settings.reply_mode == "stream"
        return SoundCheck(self.engine(), may_rest=self.is_duplex or in_frames)


@dataclass(slots=True)
class _Text:
    """Durations within the audio since the last text ended."""

    length_s: float = 0.0
    sound_s: float = 0.0
    quiet_s: float = 0.0
    """Length of the latest stretch without sound."""
    constant_s: float = 0.0
    """Part of that stretch at a level other than zero."""
    offset_s: float = 0.0
    """All stretches that are constant at such a level."""
    clipped_s: float = 0.0
    """Samples at full scale."""
    window_s: float = 0.0
    """Length so far of the window in which samples at full scale are counted."""
    clipped_before_s: float = 0.0
    """Samples at full scale before that window."""
    is_written: bool = False
    """True if the engine gave the text that it speaks."""
    has_words: bool = False


class SoundCheck:
    """Follows the audio of one answer, at the rate of the engine, before it is cleaned.

    Memory use is constant. `may_rest`: silence is no fault.
    """

    def __init__(self, engine: str, *, may_rest: bool = False) -> None:
        self._engine = engine
        self._may_rest = may_rest
        self._rest: Samples = np.empty(0, np.float32)
        """Audio too short for a window, kept for the next one."""
        self._is_clipped = self._ends_clipped = False
        self._text = _Text()

    @property
    def has_sound(self) -> bool:
        """True if the present text has had enough sound for a word."""
        return self._text.sound_s > MIN_SOUND_S

    @property
    def seems_clipped(self) -> bool:
        """True if the latest piece seems clipped, so that it should be held back until it has been
        judged. Never true for an engine that keeps pace with the user."""
        return self._ends_clipped and not self._may_rest

    def take(self, samples: Samples, rate_hz: int) -> None:
        """Examine the next piece. Raises `BadAudio` if the piece must not be heard."""
        if not len(samples):
            return
        low, high = float(samples.min()), float(samples.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            raise self._fault("samples that are not numbers", 0.0)
        text, length_s = self._text, len(samples) / rate_hz
        window_s = self._find_clipping(text, samples, rate_hz, max(high, -low))
        if self._is_clipped:  # judged: it says nothing about the audio behind it
            text.clipped_s = text.window_s = text.clipped_before_s = 0.0
            raise self._fault("sound that is clipped throughout", window_s - length_s)
        self._find_sound(text, samples, rate_hz, low, high)
        if text.constant_s > MAX_CONSTANT_S:
            raise self._fault("a constant", text.constant_s - length_s)
        if text.quiet_s > MAX_SILENCE_S and not self._may_rest:
            raise self._fault("silence", text.quiet_s - length_s)
        text.length_s += length_s

    def text_begins(self, text: str) -> None:
        """Note the text of the audio that comes next. In an answer with text, only texts with words need
        sound; in one without, all audio does."""
        self._text.is_written = True
        self._text.has_words = self._text.has_words or has_words(text)

    def text_ends(self) -> None:
        """Judge the audio since the last call as a whole. Raises `BadAudio` if it had to sound."""
        text, self._text = self._text, _Text()
        self._rest = np.empty(0, np.float32)
        if text.clipped_s > MAX_CLIPPED * text.length_s:
            raise self._fault("sound that is clipped throughout", text.length_s)
        must_sound = (text.has_words or not text.is_written) and not self._may_rest
        if must_sound and text.length_s and text.sound_s <= MIN_SOUND_S:
            got = "a constant" if text.offset_s > text.length_s / 2 else "silence"
            raise self._fault(got, text.length_s)

    def _find_sound(self, text: _Text, samples: Samples, rate_hz: int, low: float, high: float) -> None:
        """Update the lengths of sound, and of silence or a constant."""
        size = int(WINDOW_S * rate_hz)
        if len(self._rest):
            samples = np.concatenate((self._rest, samples))
            low, high = float(samples.min()), float(samples.max())
        if len(samples) < size:
            self._rest = samples
            return
        self._rest = samples[:0]
        if high - low <= QUIET:
            length_s = len(samples) / rate_hz
            text.quiet_s += length_s
            is_constant = abs(high) > OFFSET
            text.constant_s = text.constant_s + length_s if is_constant else 0.0
            text.offset_s += length_s if is_constant else 0.0
            return
        text.quiet_s = text.constant_s = 0.0
        if text.sound_s <= MIN_SOUND_S:
            windows = samples[: len(samples) // size * size].reshape(-1, size)
            sounds = np.ptp(windows, axis=1) > QUIET
            text.sound_s += WINDOW_S * np.count_nonzero(sounds)
            text.offset_s += WINDOW_S * np.count_nonzero(~sounds & (np.abs(windows[:, 0]) > OFFSET))

    def _find_clipping(self, text: _Text, samples: Samples, rate_hz: int, peak: float) -> float:
        """Judge each window of a second. Returns the length of the one that has ended, or goes on.
        Behind a clipped window, the sound is clipped up to the first piece that is not."""
        if peak < FULL_SCALE:
            return self._count_clipped(text, len(samples), 0, rate_hz)
        window_s = 0.0
        for start in range(0, len(samples), rate_hz):
            piece = np.abs(samples[start : start + rate_hz])
            clipped = int(np.count_nonzero(piece >= FULL_SCALE))
            window_s = self._count_clipped(text, len(piece), clipped, rate_hz)
            if self._is_clipped:
                break
        return window_s

    def _count_clipped(self, text: _Text, samples: int, clipped: int, rate_hz: int) -> float:
        self._ends_clipped = clipped > MAX_CLIPPED * samples
        text.clipped_s += clipped / rate_hz
        text.window_s += samples / rate_hz
        window_s = text.window_s
        if window_s >= CLIPPED_WINDOW_S:
            self._is_clipped = text.clipped_s - text.clipped_before_s > MAX_CLIPPED * window_s
            text.window_s, text.clipped_before_s = 0.0, text.clipped_s
        else:
            self._is_clipped = self._is_clipped and self._ends_clipped
        return window_s

    def _fault(self, got: str, earlier_s: float) -> BadAudio:
        """The error for bad audio. The `earlier_s` seconds before the present piece are bad, too; if the
        text has had no sound, all of it is."""
        sentence = f"expected speech from {self._engine}, got {got}; choose another model or voice"
        return BadAudio(sentence, max(earlier_s, 0.0 if self.has_sound else self._text.length_s))


def checked(
    outputs: Iterator[T],
    check: SoundCheck,
    audio_of: Callable[[T], AudioChunk | None],
    cancel: CancelToken,
) -> Iterator[T]:
    """Pass on the outputs of an engine, holding back its audio, and all later outputs, until there is
    sound. Raises `BadAudio`; for silence, before any audio is yielded."""
    held: list[T] = []
    for output in outputs:
        audio = audio_of(output)
        if audio is not None:
            check.take(audio.samples, audio.sample_rate_hz)
        elif not held:
            yield output
            continue
        held.append(output)
        if check.has_sound and not check.seems_clipped:
            yield from held
            held.clear()
    if not cancel.cancelled:
        check.text_ends()
    yield from held
