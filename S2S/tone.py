"""Tone: answers with a test tone. It checks the audio path without any model."""

from collections.abc import Iterator

import numpy as np

from pipeline.audio import clean, rms
from pipeline.engine_info import ResponderInfo
from pipeline.messages import AudioChunk, Samples
from pipeline.turn import CancelToken
from S2S.base import Question, SpokenPiece
from utils.voices import expect_known

LABEL = "TEST TONE"
RATE_HZ = 16000
DURATION_S = 1.5
FADE_S = 0.005
"""A fade at the end, to avoid a click."""
PEAK = 0.3
BASE_HZ = 440
PER_LOUDNESS_HZ = 200
VIBRATO_HZ = 2
VIBRATO_DEPTH_HZ = 50

FRAME_S = 0.08
OVERLAP_S = 0.01
FRAME_TONE_S = 0.5
"""Length of the tone that a frame sets off, unless the next frame takes over."""


class ToneResponder:
    """A tone of 440 Hz, higher by up to 200 Hz the louder you spoke, with a vibrato of 50 Hz at 2 Hz."""

    info = ResponderInfo(
        name="tone",
        slots=4,
        sample_rate_hz=RATE_HZ,
        frame_samples=int(FRAME_S * RATE_HZ),
        overlap_samples=int(OVERLAP_S * RATE_HZ),
    )

    def expect_voice(self, voice: str) -> None:
        """Raise `EngineError`: a tone has no voices."""
        expect_known(self.info.voices, voice)

    def respond(self, question: Question, cancel: CancelToken) -> Iterator[SpokenPiece]:
        """Yield one and a half seconds of tone."""
        samples = question.samples
        time_s = np.arange(int(DURATION_S * RATE_HZ)) / RATE_HZ
        frequency = BASE_HZ + PER_LOUDNESS_HZ * rms(clean(samples))
        sway = VIBRATO_DEPTH_HZ / VIBRATO_HZ * (1 - np.cos(2 * np.pi * VIBRATO_HZ * time_s))
        tone = PEAK * np.sin(2 * np.pi * frequency * time_s + sway)
        fade = np.minimum(1.0, (DURATION_S - time_s) / FADE_S)
        yield SpokenPiece(AudioChunk((tone * fade).astype(np.float32), RATE_HZ), LABEL)

    def open(self) -> "ToneStream":
        """Open a stream: a tone that follows the voice."""
        return ToneStream()

    def close(self) -> None:
        """Nothing to free."""


class ToneStream:
    """A tone that follows the user's voice.

    Every frame sets off half a second of tone; the next frame replaces the part that has not sounded
    yet. So the tone begins with the first frame, follows the loudness of the voice, and ends half a
    second after it; there are no clicks, since the phase continues.
    """

    def __init__(self) -> None:
        self._phase = 0.0
        self._begun = False

    def answer(self, frame: Samples) -> tuple[Samples, str | None]:
        """Half a second of tone for the first frame; then as much as the voice has gone on."""
        hop = ToneResponder.info.frame_samples - ToneResponder.info.overlap_samples
        length = hop if self._begun else int(FRAME_TONE_S * RATE_HZ)
        label = None if self._begun else LABEL
        self._begun = True
        step = 2 * np.pi * (BASE_HZ + PER_LOUDNESS_HZ * rms(clean(frame))) / RATE_HZ
        phases = self._phase + step * np.arange(1, length + 1)
        self._phase = float(phases[-1] % (2 * np.pi))
        tone: Samples = (PEAK * np.sin(phases)).astype(np.float32)
        return tone, label
