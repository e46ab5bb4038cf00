"""Pauses of human speech: after whole utterances, within them, and where they were broken off."""

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.speech import RATE_HZ, load, recordings
from pipeline.messages import Samples
from pipeline.settings import EndpointerSettings
from pipeline.turn import CancelToken
from STT.moonshine import MoonshineRecognizer
from VAD.base import SentenceJudge, TurnDetector
from VAD.endpointer import Endpointer, Voice
from VAD.silero import SileroDetector
from VAD.turn_end_policy import HEARD_SILENCE_MS
from VAD.utterance_buffer import UtteranceBuffer

WINDOW = 512
WINDOW_MS = 1000 * WINDOW / RATE_HZ

STRETCHES = ((0.2, 0.35), (0.35, 0.5), (0.5, 0.65), (0.65, 0.85))
"""Parts of an utterance; each is broken off at its quietest point. Some of the beginnings are whole
sentences by themselves, which no judge can tell from those that are over."""

QUIET_S = 0.03
"""Audio around a point by which its loudness is measured."""

ROOM_S = 1.0
"""Sound of the room that follows the speech."""

SHORTEST_MS = 160
"""Shortest pause within an utterance that counts: shorter ones end no turn."""


WORDS_MS = 224
"""Pause after which the words have been recognized and judged: seven windows."""

SOON_MS = 450
"""Pause after which an answer that is ready is heard within half a second: the sound card, the network
and the window in which the pause ends take the rest."""


@dataclass(frozen=True)
class Pause:
    """A pause as the VAD stage detects it, with the speech before it."""

    group: str
    """Recordings of one group are alike, since they belong together; a split never divides it."""
    finished: bool
    """True if the utterance is over."""
    lasts_ms: float
    """Length of a pause in which the speaker went on; infinity if none is known."""
    said: Samples
    """The audio for the recognizer."""
    heard: Samples
    """The audio for the turn detector, which ends in silence."""


@dataclass(frozen=True)
class Judged:
    """The judgments of the models about a pause, each from 0 to 1."""

    pause: Pause
    by_ear: float
    by_words: float


@functools.cache
def pauses() -> tuple[Pause, ...]:
    """The pauses of all recordings in the folder of `benchmarks.speech`."""
    return tuple(pause for file, ends_s in recordings() for pause in _pauses_of(file, ends_s))


def judged(by_ear: TurnDetector, by_words: SentenceJudge) -> list[Judged]:
    """All pauses, each with the judgments of the two models. The words are those that the recognizer
    hears."""
    recognizer = MoonshineRecognizer()

    def judge(pause: Pause) -> Judged:
        words = recognizer.transcribe(pause.said, None, CancelToken()).text
        return Judged(pause, by_ear.completeness(pause.heard), by_words.ended(words))

    return [judge(pause) for pause in pauses()]


def _pauses_of(file: Path, ends_s: float) -> Iterator[Pause]:
    audio = load(file)
    end = int(RATE_HZ * ends_s)
    whole = audio[:end]
    room = audio[end + RATE_HZ // 25 :]  # after 40 ms in which the voice dies away
    room = np.resize(room if len(room) > RATE_HZ // 10 else audio[: RATE_HZ // 7], int(ROOM_S * RATE_HZ))
    group = file.stem.partition("_")[0]
    *within, last = _detected(np.concatenate((whole, room)))
    yield Pause(group, True, math.inf, *last[1:])
    for lasts_ms, *heard in within:
        if lasts_ms >= SHORTEST_MS:
            yield Pause(group, False, lasts_ms, *heard)
    for start, stop in STRETCHES:
        cut = _quietest(whole, int(start * end), int(stop * end))
        if found := _detected(np.concatenate((whole[:cut], room))):
            yield Pause(group, False, math.inf, *found[-1][1:])


def _quietest(audio: Samples, start: int, stop: int) -> int:
    size = int(QUIET_S * RATE_HZ)
    loudness = np.convolve(np.square(audio), np.ones(size) / size, "same")
    return start + int(np.argmin(loudness[start:stop]))


def _detected(audio: Samples) -> list[tuple[float, Samples, Samples]]:
    """Every pause that the VAD stage detects: its length, and what was said and heard before it."""
    endpointer, stream = Endpointer(EndpointerSettings(), WINDOW_MS), SileroDetector().open()
    utterance = UtteranceBuffer(RATE_HZ, math.ceil(EndpointerSettings().speech_pad_ms / WINDOW_MS))
    endpointer.patience_ms = math.inf
    kept = math.ceil(HEARD_SILENCE_MS / WINDOW_MS)
    found: list[tuple[float, Samples, Samples]] = []
    began = 0
    for start in range(0, len(audio) - WINDOW + 1, WINDOW):
        window = audio[start : start + WINDOW]
        voice = endpointer.step(stream.probability(window))
        if voice is Voice.ONSET:
            utterance.begin(window)
        elif endpointer.in_speech:
            utterance.grow(window)
        else:
            utterance.keep(window)
        if voice is Voice.PAUSED:
            silent, began = endpointer.windows - endpointer.end, endpointer.end
            found.append((math.inf, utterance.samples(silent), utterance.samples(silent, kept)))
        elif voice is Voice.RESUMED:
            lasts_ms = (endpointer.windows - 1 - began) * WINDOW_MS
            found[-1] = (lasts_ms, *found[-1][1:])
    return found
