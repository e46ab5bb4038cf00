"""Complete and unfinished human utterances: how soon a turn ends, and how often too soon."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.figures import median, table
from benchmarks.speech import RATE_HZ, sentences
from catalog.weights import SMART_TURN
from pipeline.messages import Samples
from pipeline.settings import EndpointerSettings
from VAD.endpointer import PHRASE_PAUSE_MS, Endpointer, Voice
from VAD.silero import SileroDetector
from VAD.smart_turn import SmartTurnDetector
from VAD.turn_end_policy import PATIENCE_WITH_UNFINISHED
from VAD.utterance_buffer import UtteranceBuffer

HESITATIONS_MS = (300, 500, 700, 900)
"""Pauses in the middle of a sentence, after which the speaker would have gone on."""

SILENCES_MS = (300, 500, 700, 1000)
THRESHOLDS = (0.5, 0.7, 0.85, 0.93)
WINDOW = 512
WINDOW_MS = 1000 * WINDOW / RATE_HZ
PHASES = 4
"""Number of starts of each recording at different offsets within a window: verdicts vary with it."""

PAUSE_S = 2.0


@dataclass(frozen=True)
class Ending:
    """A pause as the pipeline detects it."""

    voice_end_ms: float
    """Time at which the voice detector hears the end, after the true one."""
    asked_ms: float
    """Time at which the turn detector is asked, after that."""
    judged: Samples
    """Audio given to the turn detector."""


def endings() -> tuple[list[Ending], list[Ending]]:
    """The pauses after complete sentences and after their beginnings; room noise follows both."""
    whole, cut = [], []
    for sentence in sentences():
        for phase in range(0, WINDOW, WINDOW // PHASES):
            whole.append(pause_behind(sentence.whole[phase:], sentence.room))
            cut.append(pause_behind(sentence.beginning[phase:], sentence.room))
    return whole, cut


def pause_behind(speech: Samples, room: Samples) -> Ending:
    """Feed the speech to the real voice detector, as the VAD stage does, until it pauses after the
    speech."""
    audio = np.concatenate((speech, np.resize(room, int(PAUSE_S * RATE_HZ))))
    settings, stream = EndpointerSettings(), SileroDetector().open()
    endpointer, utterance = Endpointer(settings, WINDOW_MS), UtteranceBuffer(RATE_HZ, 4)
    endpointer.patience_ms = math.inf
    ending = None
    for start in range(0, len(audio) - WINDOW, WINDOW):
        window = audio[start : start + WINDOW]
        voice = endpointer.step(stream.probability(window))
        if voice is Voice.ONSET:
            utterance.begin(window)
        elif endpointer.in_speech:
            utterance.grow(window)
        else:
            utterance.keep(window)
        if voice is Voice.PAUSED:
            silent = endpointer.windows - endpointer.end
            voice_end_ms = endpointer.end * WINDOW_MS - 1000 * len(speech) / RATE_HZ
            judged = utterance.samples(silent, kept_silence=1)
            ending = Ending(voice_end_ms, silent * WINDOW_MS, judged)
    assert ending is not None
    return ending


def silence(ms: float) -> Callable[[Ending], float]:
    """A policy that ends the turn after a pause of this length, whatever was said."""
    return lambda ending: ending.voice_end_ms + ms


def smart(
    completeness: Callable[[Ending], tuple[float, float]], threshold: float
) -> Callable[[Ending], float]:
    """A policy that asks the turn detector as the pipeline does: the time from the true end to the end
    of the turn."""

    def ends_after_ms(ending: Ending) -> float:
        complete, took_ms = completeness(ending)
        if complete < threshold:
            return ending.voice_end_ms + PATIENCE_WITH_UNFINISHED * EndpointerSettings().min_silence_ms
        known_ms = ending.asked_ms + math.ceil(took_ms / WINDOW_MS) * WINDOW_MS
        return ending.voice_end_ms + max(PHRASE_PAUSE_MS, known_ms)

    return ends_after_ms


def judging() -> Callable[[Ending], tuple[float, float]]:
    """Completeness of a pause, and the milliseconds until it was known; each pause is judged once."""
    detector = SmartTurnDetector(str(SMART_TURN.path))
    known: dict[int, tuple[float, float]] = {}

    def completeness(ending: Ending) -> tuple[float, float]:
        if id(ending) not in known:
            started = time.perf_counter()
            complete = detector.completeness(ending.judged)
            known[id(ending)] = complete, 1000 * (time.perf_counter() - started)
        return known[id(ending)]

    return completeness


def main() -> str:
    """Run the benchmark and return its table."""
    whole, cut = endings()

    def row(name: str, ends_after_ms: Callable[[Ending], float]) -> list[object]:
        wholes = [ends_after_ms(ending) for ending in whole]
        cuts = [ends_after_ms(ending) for ending in cut]
        shares = [100 * sum(ms < pause for ms in cuts) / len(cuts) for pause in HESITATIONS_MS]
        shown = (median(wholes), np.mean(wholes), *shares)
        return [name, *(f"{figure:.0f}" for figure in shown)]

    rows = [row(f"silence of {ms} ms", silence(ms)) for ms in SILENCES_MS]
    completeness = judging()
    rows += [row(f"Smart Turn ≥ {limit}", smart(completeness, limit)) for limit in THRESHOLDS]
    hesitations = [f"cut off in a pause of {pause} ms, %" for pause in HESITATIONS_MS]
    header = ["a turn ends by", "whole: median ms", "whole: mean ms", *hesitations]
    return table("Turn-taking, 26 human sentences, whole and unfinished", header, rows)


if __name__ == "__main__":
    print(main())
