"""The clips that the caller of the panel plays: human turns, and back-channels, tics and side talk that
are made here. All but the noise in Piper's voice follows from the seed.

The user is one person. Everybody else is a voice of eSpeak's, Piper's joe, or a recording of others, so
a program that knows the user by the voice looks better here than among people who nod and cough
themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import soundfile

from benchmarks import speech
from benchmarks.panel.noises import HUMMED, NOISES, RATE_HZ, Chance, fade, hummed, to_samples
from benchmarks.panel.room import Room
from catalog.weights import JOE
from pipeline.audio import resample, to_mono
from pipeline.messages import AudioChunk, Samples
from pipeline.turn import CancelToken
from TTS.base import Synthesizer
from TTS.espeak import EspeakSynthesizer
from TTS.piper import PiperSynthesizer

REFERENCE_DB = -26.0
"""Level of the median turn, in dB under full scale. All other clips are brought to it; the caller plays
them softer."""

MARGIN_S = 0.03
"""Silence kept on both sides of a clip."""

ESPEAK = (
    *("en-us", "en-us+f2", "en-gb+m3", "en-gb-scotland+f4", "en-us-nyc+Mario", "en-gb-x-rp+linda"),
    "en-029+Andy",
)
PIPER = {"joe": 1.0, "joe, higher": 1.16, "joe, lower": 0.88}
"""Voices of Piper's joe, played at his own and at other speeds: other people, to a listener."""

PITCHES_HZ = (105.0, 135.0, 175.0, 205.0, 235.0)
"""Pitches of those who hum and cough: men and women."""

WORDS = (
    *("Yeah.", "Yep.", "Okay.", "Right.", "Sure.", "I see.", "Got it.", "Oh."),
    *("mm-hm", "uh-huh", "mm"),
)
FILLERS = ("Um.", "Uh.", "Er.", "Erm.", "um", "uh", "hmm")
SIDE_TALK = (
    "Could you pass me the salt, please?", "The keys are in the drawer.", "Don't forget your jacket.",
    "Is that the doorbell?", "Put it over there, next to the lamp.", "I'll call you back in a minute.",
    "No, the other one.", "Just a second, I'm talking.", "Have you fed the cat yet?",
    "Coffee's ready!", "He said it would be done by Friday.", "Turn that down, would you?",
    "We should leave at half past.", "Come here and look at this.",
    "Now over to Jane with the weather.", "And that's the end of the first half.",
    "Did anyone see my glasses?", "Yes, both of them, on the table.", "Sorry, what did you say?",
    "The bus leaves in ten minutes.", "Wait a moment, please.",
    "Shares fell by two percent this morning.",
)  # fmt: skip

RECORDED_TICS = ("cough", "sneeze", "sniff", "throat")
RECORDED_TALK = "people"
PHRASE_S = (0.8, 2.6)
"""Lengths of phrases taken from recordings of others."""

NOISE_S = 2.0


class What(StrEnum):
    """Parts that a clip may play."""

    TURN = "turn"
    BACKCHANNEL = "back-channel"
    TIC = "cough or filler"
    ASIDE = "speech of others"
    NOISE = "noise, recorded"


@dataclass(frozen=True)
class Clip:
    """A sound at 24 kHz."""

    what: What
    sort: str
    """Its word, or the kind of noise, or the source of a voice."""
    name: str
    """A name that tells it from other clips: its words and its voice."""
    samples: Samples
    onset_s: float = MARGIN_S
    end_s: float | None = None

    @property
    def sounds_s(self) -> float:
        """The length of the sound itself."""
        return (self.end_s or len(self.samples) / RATE_HZ - MARGIN_S) - self.onset_s


class Voices:
    """The voices that read a text."""

    names = (*ESPEAK, *PIPER)

    def __init__(self) -> None:
        self._espeak = EspeakSynthesizer()
        self._piper = PiperSynthesizer(str(JOE.path.parent))

    def say(self, text: str, name: str) -> Samples:
        """The text in this voice."""
        engine: Synthesizer = self._piper if name in PIPER else self._espeak
        voice = None if name in PIPER else name
        spoken = engine.synthesize(text, voice, None, CancelToken())
        chunks = [chunk for chunk in spoken if isinstance(chunk, AudioChunk)]
        samples = np.concatenate([chunk.samples for chunk in chunks])
        return trim(resample(samples, round(chunks[0].sample_rate_hz * PIPER.get(name, 1)), RATE_HZ))


def level_db(samples: Samples) -> float:
    """The level while there is sound: that of the frames of 20 ms within 20 dB of the loudest."""
    power = _power(samples, 0.02)
    return float(10 * np.log10(power[power > power.max() / 100].mean()))


def trim(samples: Samples) -> Samples:
    """Cut off both ends up to 35 dB under the loudest part, and put a margin of silence there."""
    power = _power(samples, 0.01)
    loud = np.flatnonzero(power > power.max() * 10**-3.5)
    step, margin = RATE_HZ // 100, np.zeros(int(MARGIN_S * RATE_HZ), np.float32)
    inner = samples[loud[0] * step : (loud[-1] + 1) * step]
    return np.concatenate((margin, fade(inner, 5), margin))


def leveled(samples: Samples) -> Samples:
    """Bring a sound to the reference level, or below it where it would be clipped."""
    louder = samples * 10 ** ((REFERENCE_DB - level_db(samples)) / 20)
    return to_samples(louder * min(1.0, 0.98 / np.abs(louder).max()))


def clips(seed: int, recordings: Path) -> dict[What, list[Clip]]:
    """All clips, by their part. `recordings` is a folder of noises as .flac or .wav, which may be
    missing: names that begin with "cough", "sneeze", "sniff" or "throat" are tics, with "people" others
    who speak, and the rest noises of a street or a house."""
    chance, voices = np.random.default_rng(seed), Voices()
    found: dict[What, list[Clip]] = {what: [] for what in What}
    made = (turns(), backchannels(chance, voices), tics(chance, voices), asides(chance, voices))
    for source in (*made, recorded(recordings)):
        for clip in source:
            found[clip.what].append(clip)
    return found


def turns() -> Iterator[Clip]:
    """The human utterances, at one gain for all, so that some are louder than others."""
    said = [(turn, resample(turn.audio, speech.RATE_HZ, RATE_HZ)) for turn in speech.turns()]
    gain = 10 ** ((REFERENCE_DB - np.median([level_db(audio) for _, audio in said])) / 20)
    for turn, audio in said:
        loud = fade(to_samples(audio * gain))
        yield Clip(What.TURN, "human", turn.text, loud, turn.begins_s, turn.ends_s)


def backchannels(chance: Chance, voices: Voices) -> Iterator[Clip]:
    """Each word in each voice, or hummed at each pitch."""
    yield from _said(What.BACKCHANNEL, WORDS, chance, voices)


def tics(chance: Chance, voices: Voices) -> Iterator[Clip]:
    """Fillers, and noises of the throat at each pitch."""
    yield from _said(What.TIC, FILLERS, chance, voices)
    for kind, make in NOISES.items():
        for hz in PITCHES_HZ * 2:
            yield Clip(What.TIC, kind, f"{kind}, {hz:.0f} Hz", leveled(trim(make(chance, hz))))


def asides(chance: Chance, voices: Voices) -> Iterator[Clip]:
    """Others who speak in another place of the room: synthesized, and from recordings."""
    for number, text in enumerate(SIDE_TALK):
        for step in (0, 4):
            name = voices.names[(number + step) % len(voices.names)]
            sort = "joe" if name in PIPER else "eSpeak"
            yield _aside(sort, f"{text} ({name})", voices.say(text, name), chance)
    for number, recording in enumerate(speech.others()):
        phrases = list(_phrases(resample(recording, speech.RATE_HZ, RATE_HZ)))
        for place in chance.permutation(len(phrases))[:8]:
            yield _aside("human", f"recording {number}, phrase {place}", phrases[place], chance)


def recorded(folder: Path) -> Iterator[Clip]:
    """The recordings of a folder; nothing if it is missing."""
    for file in sorted([*folder.glob("*.flac"), *folder.glob("*.wav")]):
        samples, rate_hz = soundfile.read(file, dtype="float32")
        audio = resample(to_mono(samples), rate_hz, RATE_HZ)
        if file.stem.startswith(RECORDED_TALK):
            length = int(NOISE_S * RATE_HZ)
            for place in range(0, len(audio) - length, 3 * length):
                part, name = audio[place : place + length], f"{file.stem} from {place / RATE_HZ:.0f} s"
                yield Clip(What.ASIDE, "babble", name, leveled(trim(part)))
            continue
        is_tic = file.stem.startswith(RECORDED_TICS)
        what, sort = (What.TIC, "recorded") if is_tic else (What.NOISE, file.stem)
        yield Clip(what, sort, file.stem, leveled(trim(audio[: int(NOISE_S * RATE_HZ)])))


def _said(what: What, words: tuple[str, ...], chance: Chance, voices: Voices) -> Iterator[Clip]:
    for word in words:
        if word in HUMMED:
            for hz in PITCHES_HZ * 2:
                made = hummed(chance, word, hz * chance.uniform(0.93, 1.07))
                yield Clip(what, word, f"{word}, {hz:.0f} Hz", leveled(trim(made)))
        else:
            for name in voices.names:
                sort = word.rstrip(".").lower()
                yield Clip(what, sort, f"{word} ({name})", leveled(voices.say(word, name)))


def _aside(sort: str, name: str, samples: Samples, chance: Chance) -> Clip:
    """Speech through a room of its own. Its end is that of the speech, without the echo."""
    margin = int(MARGIN_S * RATE_HZ)
    far = leveled(Room.of(chance).far(samples[margin:]))
    audio = fade(np.concatenate((np.zeros(margin, np.float32), far)), 3)
    return Clip(What.ASIDE, sort, name, audio, end_s=len(samples) / RATE_HZ - MARGIN_S)


def _phrases(recording: Samples) -> Iterator[Samples]:
    """Stretches of speech between pauses of 150 ms, cut to the longest length of a phrase."""
    step = RATE_HZ // 100
    power = _power(recording, 0.01)
    loud = power > np.percentile(power, 95) * 10**-2.5
    voiced = np.convolve(loud, np.ones(15), "same") > 0
    edges = np.flatnonzero(np.diff(np.concatenate(([0], voiced, [0]))))
    for start, end in edges.reshape(-1, 2):
        phrase = recording[start * step : min(end * step, start * step + int(PHRASE_S[1] * RATE_HZ))]
        if len(phrase) > PHRASE_S[0] * RATE_HZ:
            yield trim(fade(phrase))


def _power(samples: Samples, seconds: float) -> Samples:
    """The power of each frame of this length."""
    size = int(seconds * RATE_HZ)
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    power: Samples = np.square(frames, dtype=np.float64).mean(axis=1) + 1e-12
    return power
