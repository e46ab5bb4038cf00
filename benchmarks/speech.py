"""Human speech for benchmarks: the utterances of a folder, or those in the recognizer's package."""

import functools
import itertools
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from pipeline.audio import resample, to_mono
from pipeline.messages import Samples

RATE_HZ = 16000
PACKET_S = 0.02
PACKET = int(RATE_HZ * PACKET_S)
"""Samples sent at a time, one packet every 20 ms."""

GAP_S = 1.5
"""Silence between two utterances: the pause that ends one, and the answer."""

ANSWERED_S = 0.7
"""Time after an utterance by which its answer has begun, if at all: the pause that ends it takes 0.5
s."""


@functools.cache
def utterances() -> list[Samples]:
    """Load the utterances, each a sentence or two. S2S_SPEECH names the folder; the default is
    ../shared/audio/utterances."""
    files = sorted(_folder().glob("*.flac")) + sorted(_folder().glob("*.wav"))
    if files:
        return [load(file) for file in files]
    import moonshine_voice

    return [load(Path(moonshine_voice.get_assets_path()) / "beckett.wav")]


@dataclass(frozen=True)
class Sentence:
    """An utterance with a known point at which it could be broken off."""

    whole: Samples
    beginning: Samples
    """The part up to the quietest point of its middle."""
    room: Samples
    """Sound of the room when nobody speaks."""


@functools.cache
def sentences() -> list[Sentence]:
    """Load the utterances for which utterances.json gives the end, and a point to cut them."""
    found = []
    for item in json.loads((_folder() / "utterances.json").read_text("utf-8")):
        if item.get("cut_s"):
            audio = load(_folder() / item["file"])
            end = int(RATE_HZ * item["speech_end_s"])
            room = audio[end + RATE_HZ // 25 :]  # after 40 ms in which the voice dies away
            room = room if len(room) > RATE_HZ // 10 else audio[: RATE_HZ // 7]
            found.append(Sentence(audio[:end], audio[: int(RATE_HZ * item["cut_s"])], room))
    return found


def recordings() -> list[tuple[Path, float]]:
    """The files of the utterances, and the second at which the speech in each ends."""
    items = json.loads((_folder() / "utterances.json").read_text("utf-8"))
    return [((_folder() / item["file"]).resolve(), item["speech_end_s"]) for item in items]


@dataclass(frozen=True)
class Turn:
    """An utterance, and where the speech in it begins and ends."""

    audio: Samples
    begins_s: float
    ends_s: float
    text: str


@functools.cache
def turns() -> list[Turn]:
    """Load the utterances that utterances.json lists."""
    return [
        Turn(load(_folder() / item["file"]), item["speech_start_s"], item["speech_end_s"], item["text"])
        for item in json.loads((_folder() / "utterances.json").read_text("utf-8"))
    ]


@functools.cache
def others() -> list[Samples]:
    """Load recordings of other people: those in the recognizer's package, and those beside the folder
    of the utterances."""
    import moonshine_voice

    assets = Path(moonshine_voice.get_assets_path())
    files = [assets / name for name in ("beckett.wav", "endgame_nagg_nell.wav", "two_cities.wav")]
    return [load(file) for file in [*files, *sorted(_folder().parent.glob("*.flac"))]]


@dataclass(frozen=True)
class Monologue:
    """Utterances with pauses between them."""

    audio: Samples
    questions: int
    """Number of utterances that end in time for an answer."""

    @classmethod
    def of(cls, seconds: float, first: int = 0) -> "Monologue":
        """Join utterances for `seconds`, beginning with utterance `first`."""
        available = utterances()
        order = itertools.islice(itertools.cycle(available), first % len(available), None)
        silence = np.zeros(int(GAP_S * RATE_HZ), np.float32)
        audio, questions = np.empty(0, np.float32), 0
        while len(audio) < seconds * RATE_HZ:
            audio = np.concatenate((audio, next(order), silence))
            questions += len(audio) <= (seconds + GAP_S - ANSWERED_S) * RATE_HZ
        return cls(audio[: int(seconds * RATE_HZ)], questions)


def questions(seconds: float, count: int) -> list[Samples]:
    """The `count` utterances with lengths nearest to `seconds`."""
    return sorted(utterances(), key=lambda audio: abs(len(audio) / RATE_HZ - seconds))[:count]


def load(file: Path) -> Samples:
    """Load a sound file as mono at 16 kHz."""
    samples, rate_hz = soundfile.read(file, dtype="float32")
    return resample(to_mono(samples), rate_hz, RATE_HZ)


def _folder() -> Path:
    return Path(os.environ.get("S2S_SPEECH", "../shared/audio/utterances"))
