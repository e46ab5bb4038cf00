"""Whole and unfinished human utterances: how soon a turn ends, and how often too soon."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.figures import median, table
from benchmarks.speech import RATE_HZ, load
from pipeline.messages import Samples
from utils.smart_turn_file import smart_turn_file
from VAD.endpointer import SHORT_PAUSE_MS
from VAD.smart_turn import SmartTurnDetector
from VAD.turn_judge import PATIENCE_WITH_UNFINISHED

HESITATIONS_MS = (300, 500, 700, 900)
"""Pauses in the middle of a sentence, after which the speaker would have gone on."""

DETECTOR_MS = 130
"""From asking to the window that knows: 0.1 s of computing on one thread, rounded up to windows."""

SILENCES_MS = (300, 500, 700, 1000)
THRESHOLDS = (0.3, 0.5, 0.7, 0.85)


def utterances() -> tuple[list[Samples], list[Samples]]:
    """Whole ones, and the beginnings of the same, cut at the quietest point of their middle."""
    folder = Path(os.environ.get("S2S_SPEECH", "../shared/audio/utterances"))
    whole, cut = [], []
    for item in json.loads((folder / "utterances.json").read_text("utf-8")):
        if item.get("cut_s"):
            audio = load(folder / item["file"])
            whole.append(audio[: int(RATE_HZ * item["speech_end_s"])])
            cut.append(audio[: int(RATE_HZ * item["cut_s"])])
    return whole, cut


def silence(ms: float) -> Callable[[Samples], float]:
    """A pause of this length, whatever was said."""
    return lambda audio: ms


def smart(detector: SmartTurnDetector, threshold: float) -> Callable[[Samples], float]:
    """How long a pause ends a turn, with the detector as the pipeline uses it."""
    pause = np.zeros(int(RATE_HZ * SHORT_PAUSE_MS / 1000), np.float32)
    known: dict[int, float] = {}

    def ends_after_ms(audio: Samples) -> float:
        if id(audio) not in known:
            known[id(audio)] = detector.completeness(np.concatenate((audio, pause)))
        complete = known[id(audio)] >= threshold
        return SHORT_PAUSE_MS + DETECTOR_MS if complete else PATIENCE_WITH_UNFINISHED * 500

    return ends_after_ms


def row(name: str, ends_after_ms: Callable[[Samples], float]) -> list[object]:
    """One way of ending turns."""
    whole, cut = utterances()
    wholes = [ends_after_ms(audio) for audio in whole]
    cuts = [ends_after_ms(audio) for audio in cut]
    shares = [100 * sum(ms < pause for ms in cuts) / len(cuts) for pause in HESITATIONS_MS]
    return [
        name,
        f"{median(wholes):.0f}",
        f"{np.mean(wholes):.0f}",
        *(f"{share:.0f}" for share in shares),
    ]


def main() -> str:
    """The table."""
    rows = [row(f"silence of {ms} ms", silence(ms)) for ms in SILENCES_MS]
    detector = SmartTurnDetector(str(smart_turn_file()))
    rows += [row(f"Smart Turn ≥ {threshold}", smart(detector, threshold)) for threshold in THRESHOLDS]
    hesitations = [f"cut off in a pause of {pause} ms, %" for pause in HESITATIONS_MS]
    header = ["a turn ends by", "whole: median ms", "whole: mean ms", *hesitations]
    return table("Turn-taking, 26 human sentences, whole and unfinished", header, rows)


if __name__ == "__main__":
    print(main())
