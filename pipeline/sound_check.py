"""SoundCheck: finds sound that no working engine makes, while it is made."""

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
"""Distance between the lowest and the highest sample of a window below which it is silent: a peak of
-60 dB. A voice has some -20 dB at 60 dB SPL, so this is quieter than a quiet room (20 to 30 dB SPL). The
words of a whisper are 20 dB above it."""

OFFSET = 0.03
"""Level of a window without sound above which it is a constant, not silence: cheap sound cards have an
offset of up to 0.02."""

MIN_SOUND_S = 0.06
"""Sound that words have at least; the shortest that was measured is 0.14 s. A click has 0.04 s, since it
may touch two windows."""

MAX_SILENCE_S = 10.0
"""Longest stretch without sound: the end of a text is not awaited. A sentence has no such pause."""

MAX_CONSTANT_S = 1.0

FULL_SCALE = 0.999
CLIPPED_WINDOW_S = 1.0
MAX_CLIPPED = 0.5
"""Share of the samples at or over full scale, in a window of a second. Speech whose peaks are 12 dB over
full scale reaches 0.39, 20 dB 0.65; see docs/decisions.md."""


@dataclass(frozen=True, slots=True)
class SoundSource:
    """The engine that makes the audio of a session, and what its sound is like."""

    stage: str
    engine: str
    """Its name, for errors."""
    is_duplex: bool = False
    """True if it makes sound all the time, and is silent while it listens."""
    is_framed: bool = False
    """True if it answers frame by frame in the reply mode ``stream``, and may have nothing to say."""
    is_checked: bool = True
    """False: its sound is played whatever it is. Only the program of a test says so, for engines with
    random weights."""

    def new_check(self, settings: SessionSettings) -> "SoundCheck | None":
        """The check of one answer; None: it is not spoken."""
        if not (self.is_checked and settings.spoken):
            return None
        in_frames = self.is_framed and settings.reply_mode == "stream"
        return SoundCheck(self.engine, may_rest=self.is_duplex or in_frames)


@dataclass(slots=True)
class _Text:
    """Seconds of audio since the last text ended."""

    length_s: float = 0.0
    sound_s: float = 0.0
    quiet_s: float = 0.0
    """The latest stretch without sound."""
    constant_s: float = 0.0
    """The part of it at a level other than zero."""
    offset_s: float = 0.0
    """All that is constant at such a level."""
    clipped_s: float = 0.0
    """Samples at full scale."""
    window_s: float = 0.0
    """The present window in which these are counted."""
    clipped_before_s: float = 0.0
    """Samples at full scale before that window."""
    is_written: bool = False
    """True if the engine told the text that it speaks."""
    has_words: bool = False


class SoundCheck:
    """Follows the audio of one answer, at the rate of the engine, before it is cleaned.

    Its state does not grow. `may_rest`: silence is no fault.
    """

    def __init__(self, engine: str, *, may_rest: bool = False) -> None:
        self._engine = engine
        self._may_rest = may_rest
        self._rest: Samples = np.empty(0, np.float32)
        """Audio that is too short for a window."""
        self._is_clipped = self._ends_clipped = False
        self._text = _Text()

    @property
    def has_sound(self) -> bool:
        """True if the present text has sounded long enough for a word."""
        return self._text.sound_s > MIN_SOUND_S

    @property
    def seems_clipped(self) -> bool:
        """True if the latest piece is, so that it is better not heard until it was judged; never for a
        model that goes on in step with the user."""
        return self._ends_clipped and not self._may_rest

    def take(self, samples: Samples, rate_hz: int) -> None:
        """Follow the next piece. Raises `BadAudio`: the piece is not to be heard."""
        if not len(samples):
            return
        low, high = float(samples.min()), float(samples.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            raise self._fault("samples that are not numbers", 0.0)
        text, length_s = self._text, len(samples) / rate_hz
        window_s = self._find_clipping(text, samples, rate_hz, max(high, -low))
        if self._is_clipped:
            raise self._fault("sound that is clipped through", window_s - length_s)
        self._find_sound(text, samples, rate_hz, low, high)
        if text.constant_s > MAX_CONSTANT_S:
            raise self._fault("a constant", text.constant_s - length_s)
        if text.quiet_s > MAX_SILENCE_S and not self._may_rest:
            raise self._fault("silence", text.quiet_s - length_s)
        text.length_s += length_s

    def text_begins(self, text: str) -> None:
        """Note a text whose audio comes next. An answer may have none; otherwise only words have to
        sound."""
        self._text.is_written = True
        self._text.has_words = self._text.has_words or has_words(text)

    def text_ends(self) -> None:
        """Judge the audio since the last call as a whole. Raises `BadAudio` if it had to sound."""
        text, self._text = self._text, _Text()
        self._rest = np.empty(0, np.float32)
        if text.clipped_s > MAX_CLIPPED * text.length_s:
            raise self._fault("sound that is clipped through", text.length_s)
        must_sound = (text.has_words or not text.is_written) and not self._may_rest
        if must_sound and text.length_s and text.sound_s <= MIN_SOUND_S:
            got = "a constant" if text.offset_s > text.length_s / 2 else "silence"
            raise self._fault(got, text.length_s)

    def _find_sound(self, text: _Text, samples: Samples, rate_hz: int, low: float, high: float) -> None:
        """Find out how long it sounds, and how long it has been silent or constant."""
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
        """Judge each window of a second. Returns the length of the one that has ended, or goes on."""
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
        return window_s

    def _fault(self, got: str, earlier_s: float) -> BadAudio:
        """`earlier_s` before the present piece are bad as well; all of the text if it had no sound."""
        sentence = f"expected speech from {self._engine}, got {got}; choose another model or voice"
        return BadAudio(sentence, max(earlier_s, 0.0 if self.has_sound else self._text.length_s))


def checked(
    outputs: Iterator[T],
    check: SoundCheck,
    audio_of: Callable[[T], AudioChunk | None],
    cancel: CancelToken,
) -> Iterator[T]:
    """Pass on the outputs of an engine; its audio, and what comes behind it, once it sounds. Raises
    `BadAudio`; for silence before any audio."""
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
