"""The voices, heard again by the built-in recognizer: words that it mistakes, and computing time.

`python -m benchmarks.voices` compares eSpeak and the built-in voice of Piper. `--kokoro FOLDER` adds
Kokoro, from a folder as `--tts_model_name` takes it. It needs the extra `dev`, for jiwer.
"""

import argparse
import datetime
import time
from collections.abc import Callable

import numpy as np
from jiwer import wer

from benchmarks.figures import machine, table
from pipeline.audio import resample
from pipeline.messages import AudioChunk, Samples
from pipeline.turn import CancelToken
from STT.moonshine import MoonshineRecognizer
from TTS.base import Synthesizer
from TTS.espeak import EspeakSynthesizer
from TTS.kokoro import KokoroSynthesizer
from TTS.piper import PiperSynthesizer

RATE_HZ = 16000
"""The rate of the recognizer."""

SENTENCES = (
    "Sure, I can help you with that.",
    "The capital of Italy is Rome, a city of almost three million people.",
    "It will be cloudy in the morning, and warm and sunny in the afternoon.",
    "I'm sorry to hear that you had a bad day. Do you want to talk about it?",
    "First boil the water, then add the pasta and a little salt.",
    "The next train leaves at ten past eight from the platform on your left.",
    "Plants are green because their leaves reflect green light.",
    "Could you say that again, please?",
    "There are twelve months in a year, and four of them have thirty days.",
    "Why did the chicken cross the road? To get to the other side.",
    "You could read a book, go for a walk, or call an old friend.",
    "A whale is not a fish, although it lives in the sea.",
    "I don't know the answer, but I can tell you where to look.",
    "She wrote a long letter to her old teacher.",
    "Good night, and sleep well.",
)
"""Sentences as an assistant says them."""


def measured(voice: Synthesizer, recognizer: MoonshineRecognizer) -> tuple[float, float, float]:
    """Percentage of wrong words; mean seconds to the first audio; CPU seconds per second of speech."""
    heard, first_s, spoken_s, cpu_s = [], 0.0, 0.0, 0.0
    for sentence in SENTENCES:
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        pieces: list[Samples] = []
        for chunk in voice.synthesize(sentence, None, "en", CancelToken()):
            if isinstance(chunk, AudioChunk):
                first_s += 0 if pieces else time.perf_counter() - began_s
                pieces.append(resample(chunk.samples, chunk.sample_rate_hz, RATE_HZ))
        cpu_s += time.process_time() - began_cpu_s
        speech = np.concatenate(pieces)
        spoken_s += len(speech) / RATE_HZ
        heard.append(recognizer.transcribe(speech, "en", CancelToken()).text)
    wrong = float(wer([_words(sentence) for sentence in SENTENCES], [_words(text) for text in heard]))
    return 100 * wrong, first_s / len(SENTENCES), cpu_s / spoken_s


def _words(text: str) -> str:
    """The words of a text without case and punctuation."""
    return " ".join("".join(c if c.isalnum() or c in "' " else " " for c in text.lower()).split())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kokoro", help="folder with the files of Kokoro")
    folder = parser.parse_args().kokoro
    voices: dict[str, Callable[[], Synthesizer]] = {
        "espeak": EspeakSynthesizer,
        "piper": PiperSynthesizer,
    }
    if folder:
        voices["kokoro"] = lambda: KokoroSynthesizer(folder)
    recognizer = MoonshineRecognizer()
    rows = []
    for name, make in voices.items():
        wrong, first_s, cpu = measured(make(), recognizer)
        rows.append([name, f"{wrong:.0f} %", round(1000 * first_s), cpu])
    words = sum(len(_words(sentence).split()) for sentence in SENTENCES)
    title = f"The voices, heard again by Moonshine: {words} words"
    print(table(title, ["voice", "words wrong", "first audio, ms", "CPU s per second of speech"], rows))
    print(f"{datetime.date.today()}, {machine()}")


if __name__ == "__main__":
    main()
