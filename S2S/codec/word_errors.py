"""The words that a codec makes unintelligible to the built-in recognizer."""

import re
from dataclasses import dataclass

import jiwer

from catalog.registry import find
from pipeline.audio import resample
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from STT.base import Recognizer


@dataclass(frozen=True, slots=True)
class WordErrors:
    """Words that are replaced, left out or added."""

    wrong: int
    of: int
    """Words of the reference."""


def load_recognizer() -> Recognizer:
    """The built-in recognizer. Raises `UserError`."""
    moonshine = find("stt", "moonshine")
    spec = find("stt", "pocketsphinx") if moonshine.missing() else moonshine
    recognizer: Recognizer = spec.load()()
    return recognizer


def transcribe(recognizer: Recognizer, samples: Samples, rate_hz: int) -> str:
    """The words of a recording, as the recognizer hears them."""
    audio = resample(samples, rate_hz, recognizer.info.sample_rate_hz)
    return recognizer.transcribe(audio, None, CancelToken()).text


def count_errors(reference: str, heard: str) -> WordErrors | None:
    """Compare two texts, ignoring case and punctuation; None: the reference has no words."""
    if not _words(reference):
        return None
    found = jiwer.process_words(_words(reference), _words(heard))
    wrong = found.substitutions + found.deletions + found.insertions
    return WordErrors(wrong, found.hits + found.substitutions + found.deletions)


def _words(text: str) -> str:
    return " ".join(re.findall(r"[\w']+", text.lower()))
