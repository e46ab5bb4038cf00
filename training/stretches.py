"""Stretches of speech for training: turns, nods, tics, and the speech of others, each beside a user.

Made when they are needed, from eSpeak's voices, the built-in voice of Piper, human recordings and
generated noise; in two halves that share no voice.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from benchmarks.speech import utterances
from catalog.weights import JOE, JOE_SETTINGS
from pipeline.audio import resample
from pipeline.loudness import speech_bounds
from pipeline.messages import AudioChunk, Samples
from pipeline.turn import CancelToken
from testing.sounds import HUMS, RATE_HZ, TICS, active_rms, hum, in_room, leveled
from TTS.base import Synthesizer
from TTS.espeak import EspeakSynthesizer

FITTED = (
    "joe", "en-us", "en-us+f2", "en-us+m3", "en-us+Andy", "en-us+linda", "en-gb+m1", "en-gb+f4",
    "en-gb-scotland", "en-us+steph", "en-us+max",
)  # fmt: skip
"""Voices of the examples on which the weights are fitted."""
HELD_OUT = (
    "human", "en-gb", "en-gb+f3", "en-gb+m7", "en-us+m5", "en-us+f5", "en-us+Alicia", "en-us+Lee",
    "en-gb+edward", "en-gb-x-rp+f1",
)  # fmt: skip
"""Voices of the examples that are only measured."""

SENTENCES = (
    "I would like to know when the train leaves.", "Please tell me something about the weather.",
    "My sister has moved to another town.", "How long does it take to bake bread?",
)  # fmt: skip
INTERRUPTIONS = (
    "Stop.", "Wait.", "No.", "Why?", "Stop it, please.", "Wait a minute.", "No, not that one.", "What?",
    "Hang on, what was that?", "That is not what I meant.", "Can you say that again?", "How much is it?",
    "I wanted the other one.", "Tell me about something else.", "But what about tomorrow?",
    "Actually, I have another question.", "Sorry, could you speak more slowly?", "Yes, but where is it?",
    "Okay, and what happens after that?", "I think you are wrong about this.", "Next one, please.",
    "Thank you, that is enough.", "Let me ask you something different.", "Where did you read this?",
)  # fmt: skip
ANSWERS = (
    "Yes.", "No.", "Okay.", "Sure.", "Right.", "Maybe.", "Anna.", "London.", "Tomorrow.", "Seven.",
    "Hello.", "Thank you.", "Help.", "Good morning.", "Of course.", "Not really.",
)  # fmt: skip
NODS = (
    "Yeah.", "Right.", "Okay.", "I see.", "Sure.", "Wow.", "Yes.", "Really?", "Got it.", "All right.",
    "Great.", "Exactly.", "Of course.", "Makes sense.", "Oh, okay.", "True.", "Uh-huh.",
)  # fmt: skip
FILLERS = ("Um.", "Uh.", "Oh.", "Ah.", "Hmm.", "Huh?", "Er.", "Um, uh.", "Well.")
ASIDES = (
    "Could you close the window, please?", "Dinner will be on the table soon.",
    "Where is my other shoe?", "I will call you back later.", "The match ended two to one last night.",
    "Have you fed the cat?", "Come here for a moment.", "He said that he would be late.",
    "Just leave it there.", "Not today.", "And now to the sports results.",
    "It will be cloudy in the north tomorrow.", "Wait for me.", "What did she say?",
    "Please take the dog out.", "I do not want any.",
)  # fmt: skip

USER_RMS = 0.05
"""Level of a user's turns, -26 dB of full scale."""


@dataclass(frozen=True, slots=True)
class Example:
    """One sound in front of the microphone of a user."""

    user: str
    """The user's voice."""
    kind: str
    """turn, answer, nod, filler, hum, tic or aside."""
    audio: Samples
    """With half a second of room noise before and after."""


@functools.cache
def turns_of(voice: str) -> list[Samples]:
    """A few turns of a user, as loud as `USER_RMS`."""
    if voice == "human":
        recordings = [_without_silence(audio) for audio in utterances()]
        level = float(np.median([active_rms(audio) for audio in recordings]))
        return [audio * np.float32(USER_RMS / level) for audio in recordings]
    return [leveled(spoken(text, voice), USER_RMS) for text in SENTENCES]


def examples(voices: tuple[str, ...], seed: int, each: int) -> Iterator[Example]:
    """Generate `each` examples of every kind, spread over the voices."""
    chance = np.random.default_rng(seed)
    speakers = [voice for voice in voices if voice != "human"]
    for number in range(each):
        user = voices[number % len(voices)]
        other = speakers[int(chance.integers(len(speakers)))]
        pitch = chance.uniform(90, 240)
        hummed = hum(chance, HUMS[int(chance.integers(len(HUMS)))], pitch)
        tic = TICS[int(chance.integers(len(TICS)))](chance, pitch)
        far = in_room(
            chance,
            spoken(_one(chance, ASIDES), other),
            chance.uniform(0.3, 0.8),
            chance.uniform(0.5, 2.5),
            chance.uniform(2000, 6000),
        )
        nodding = user if user in speakers else other
        for kind, sound, level_db in (
            ("turn", _interruption(chance, user), chance.normal(0, 2.5)),
            ("answer", spoken(_one(chance, ANSWERS), nodding), chance.normal(-1, 2.5)),
            ("nod", spoken(_one(chance, NODS), nodding), chance.uniform(-11, 2)),
            ("filler", spoken(_one(chance, FILLERS), nodding), chance.uniform(-6, 2)),
            ("hum", hummed, chance.uniform(-11, 2)),
            ("tic", tic, chance.uniform(-8, 6)),
            ("aside", far, chance.uniform(-18, -7)),
        ):
            yield Example(user, kind, _in_front_of(chance, sound, level_db))


def _interruption(chance: Generator, user: str) -> Samples:
    if user == "human":
        turns = turns_of(user)
        return turns[int(chance.integers(len(turns)))]
    return spoken(_one(chance, INTERRUPTIONS), user)


def _in_front_of(chance: Generator, sound: Samples, level_db: float) -> Samples:
    half = np.zeros(RATE_HZ // 2, np.float32)
    audio = np.concatenate((half, leveled(sound, USER_RMS * 10 ** (level_db / 20)), half))
    room = chance.normal(0, 10 ** (chance.uniform(-75, -60) / 20), len(audio))
    return (audio + room).astype(np.float32)


def _one(chance: Generator, texts: tuple[str, ...]) -> str:
    return texts[int(chance.integers(len(texts)))]


@functools.cache
def spoken(text: str, voice: str) -> Samples:
    """A text, spoken at 16 kHz without the silence around it."""
    named = None if voice == "joe" else voice
    chunks = _synthesizer(voice == "joe").synthesize(text, named, None, CancelToken())
    audio = np.concatenate(
        [resample(c.samples, c.sample_rate_hz, RATE_HZ) for c in chunks if isinstance(c, AudioChunk)]
    )
    return _without_silence(audio)


def _without_silence(audio: Samples) -> Samples:
    begin, end = speech_bounds(audio, RATE_HZ)
    return audio[begin:end]


@functools.cache
def _synthesizer(neural: bool) -> Synthesizer:
    if not neural:
        return EspeakSynthesizer()
    from TTS.piper import PiperSynthesizer

    if not (JOE.there and JOE_SETTINGS.there):
        raise SystemExit("expected the built-in voice of Piper; fetch it: python -m catalog.weights")
    return PiperSynthesizer()
