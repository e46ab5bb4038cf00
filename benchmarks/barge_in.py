"""Speech over a reply and in silence: which sounds stop the reply or are answered, and how soon.

On a sample clock, with the real voice detector and the real recognizer; the reply is scripted. The
voices and noises are not those on which the judge is fitted.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.figures import median, percentile, table
from benchmarks.speech import RATE_HZ, utterances
from engines.engines import Cascade, Engines
from pipeline.audio import resample
from pipeline.clock import SampleClock
from pipeline.events import Ducked, Event, Interrupted, Paused, ReplyStarted
from pipeline.loudness import speech_bounds
from pipeline.messages import Samples
from pipeline.settings import EndpointerSettings
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from s2s_pipeline import build_pipeline
from STT.moonshine import MoonshineRecognizer
from testing.fakes import ScriptedModel, ScriptedSynthesizer
from testing.sinks import RecordingSink
from testing.sounds import TICS, active_rms, hum, in_room, leveled
from TTS.espeak import EspeakSynthesizer
from VAD.silero import SileroDetector

WINDOW = 512
REPLY = "A reply that goes on for a long time so that there is something to interrupt. " * 5
BACKCHANNELS = ("Yeah.", "Okay.", "Right.", "I see.", "Sure.", "Wow.")
ASIDES = (
    "Not now.", "I am on the phone.", "Put the dishes in the cupboard.", "Who is at the door?",
    "The bus was late again this morning.", "Sunny in the south, with a little wind.",
)  # fmt: skip
VOICES = ("en-us+m2", "en-gb+f1", "en-us+f4", "en-gb-x-gbclan+m4")
LEVELS_DB = (0, -6, -10)
"""Levels of back-channels, relative to the user's utterances."""
FAR_DB = (-10, -12.5, -15)
FOLLOWED_S = 2.0
"""Time after the sound in which the program may answer it."""
KEEPS_S = 1.0
"""Time from the onset in which a sound that is no turn must not silence the reply."""


@dataclass(frozen=True)
class Outcome:
    """Effect on a reply of a sound made over it, or the answer to one made in silence."""

    ducked_ms: float | None
    """Time from the onset to quieter frames, on the sample clock."""
    silent_ms: float | None
    """Time from the onset to the last frame that left playout before the pause, or the interruption."""
    stopped: bool
    answered: bool

    @property
    def talks_through(self) -> bool:
        """True if the reply was not silent for a moment, as a panel counts it."""
        return self.silent_ms is None or self.silent_ms > 1000 * KEEPS_S


def backchannels(level_db: float) -> Iterator[Samples]:
    """Words of attention in four voices, and hums."""
    chance = np.random.default_rng(11)
    words = [spoken(word, voice) for word in BACKCHANNELS for voice in VOICES]
    hums = [hum(chance, kind, pitch) for kind in ("mm-hm", "uh-huh") for pitch in (105, 135, 170, 215)]
    return (at_level(sound, level_db) for sound in (*words, *hums))


def tics() -> Iterator[Samples]:
    """Coughs, sneezes, sniffs, and hesitations."""
    chance = np.random.default_rng(12)
    for number in range(5):
        pitch = 95 + 30 * number
        for make in TICS:
            yield at_level(make(chance, pitch), -3 * (number % 3))
        for kind in ("um", "uh", "hmm"):
            yield at_level(hum(chance, kind, pitch), -3 * (number % 3))


def asides() -> Iterator[Samples]:
    """Sentences of somebody else, far away."""
    chance = np.random.default_rng(13)
    for number, text in enumerate(ASIDES * len(VOICES)):
        sound = spoken(text, VOICES[number % len(VOICES)])
        room = in_room(chance, sound, chance.uniform(0.3, 0.6), chance.uniform(0.8, 2.0), 3000)
        yield at_level(room, FAR_DB[number % len(FAR_DB)])


def spoken(text: str, voice: str) -> Samples:
    """A text in a voice of eSpeak, without the silence around it."""
    chunks = list(EspeakSynthesizer().synthesize(text, voice, None, CancelToken()))
    audio = np.concatenate([resample(c.samples, c.sample_rate_hz, RATE_HZ) for c in chunks])
    begin, end = speech_bounds(audio, RATE_HZ)
    return audio[begin:end]


def at_level(sound: Samples, level_db: float) -> Samples:
    """A sound at a level relative to the user's utterance of median loudness."""
    return leveled(sound, active_rms(questions()[-1]) * 10 ** (level_db / 20))


def questions() -> list[Samples]:
    """The questions that are asked first, so that the user is known: those of median loudness."""
    middle = len(utterances()) // 2
    return sorted(utterances(), key=active_rms)[max(0, middle - 2) : middle + 1]


class Listener:
    """A session that was asked a few questions and is playing the reply to the last; or, `in_silence`,
    was told to stop."""

    def __init__(self, engines: Engines, *, in_silence: bool) -> None:
        self.clock = SampleClock(RATE_HZ)
        self.sink = RecordingSink(self.clock.now, full_duplex=True)
        self.session = build_pipeline(engines, self.sink, clock=self.clock)
        self.clock.on_advance(self.session.playout.wake)
        self._mail = self.session.events.subscribe()
        for question in questions():
            self.session.interrupt()
            before = len(self.sink.frames)
            self.hear(question)
            while len(self.sink.frames) == before:
                self.hear(np.zeros(WINDOW, np.float32))
        if in_silence:
            self.session.interrupt()
        self.hear(np.zeros(RATE_HZ // 2, np.float32))

    def hear(self, audio: Samples) -> list[tuple[float, int, Event]]:
        """Feed audio and return the events it caused, each with its time and the number of frames sent
        by then."""
        happened = []
        noise = np.random.default_rng(1).normal(0, 0.0005, len(audio)).astype(np.float32)
        for start in range(0, len(audio) - WINDOW + 1, WINDOW):
            self.clock.advance(WINDOW)
            self.session.activity.wait_idle()
            window = audio[start : start + WINDOW] + noise[start : start + WINDOW]
            self.session.feed(window, RATE_HZ, self.clock.now() - WINDOW / RATE_HZ)
            self.session.activity.wait_idle()
            while (event := self._mail.fetch(0)) is not None:
                happened.append((self.clock.now(), len(self.sink.frames), event))
        return happened

    def close(self) -> None:
        """Close the session."""
        self.session.close()
        self.session.join(5)


def outcome(engines: Engines, audio: Samples, *, in_silence: bool) -> Outcome:
    """Play a sound over a reply, or in silence, and return its effect."""
    listener = Listener(engines, in_silence=in_silence)
    voiced = np.flatnonzero(np.abs(audio) > np.abs(audio).max() / 10)
    onset = listener.clock.now() + int(voiced[0]) / RATE_HZ
    rest = np.zeros(int(FOLLOWED_S * RATE_HZ), np.float32)
    happened = listener.hear(np.concatenate((audio, rest)))
    listener.close()

    def since_onset(*kinds: type) -> float | None:
        moments = [moment for moment, _, event in happened if isinstance(event, kinds)]
        return 1000 * (moments[0] - onset) if moments else None

    stopped = any(isinstance(event, Interrupted) for *_, event in happened)
    answered = any(isinstance(event, ReplyStarted) for *_, event in happened)
    return Outcome(since_onset(Ducked), since_onset(Paused, Interrupted), stopped, answered)


def over_reply(engines: Engines) -> str:
    """Tabulate what becomes of the reply."""
    rows: list[list[object]] = []
    groups = [("interruptions: human utterances", iter(utterances()))]
    groups += [(f"back-channels, {level:+d} dB", backchannels(level)) for level in LEVELS_DB]
    groups += [("coughs, sneezes, sniffs, um, uh, hmm", tics())]
    groups += [("somebody else, far, 10 to 15 dB softer", asides())]
    for number, (name, sounds) in enumerate(groups):
        outcomes = [outcome(engines, sound, in_silence=False) for sound in sounds]
        ducked = [o.ducked_ms for o in outcomes if o.ducked_ms is not None]
        silent = [o.silent_ms for o in outcomes if o.silent_ms is not None]
        times = [
            f"{median(ms):.0f} / {percentile(ms, 0.95):.0f}" if ms else "–" for ms in (ducked, silent)
        ]
        stopped = sum(o.stopped for o in outcomes)
        paused = sum(not o.talks_through and not o.stopped for o in outcomes)
        right = stopped if number == 0 else sum(o.talks_through and not o.stopped for o in outcomes)
        shares = [f"{100 * right / len(outcomes):.0f} %"]
        rows.append([name, len(outcomes), *times, paused, stopped, *shares])
    header = ["said over a reply", "how many", "ducked after, median / p95 ms"]
    header += ["silent after, median / p95 ms", "paused it", "stopped it", "right"]
    return table("Barge-in", header, rows)


def in_silence(engines: Engines) -> str:
    """Tabulate what is answered."""
    rows: list[list[object]] = []
    answers = [
        spoken(word, voice) for word in ("Yes.", "No.", "Stop.", "Why?", "Anna.") for voice in VOICES
    ]
    for number, (name, sounds) in enumerate(
        (
            ("turns: human utterances", iter(utterances())),
            ("turns of one word", (at_level(sound, 0) for sound in answers)),
            ("coughs, sneezes, sniffs, um, uh, hmm", tics()),
            ("somebody else, far, 10 to 15 dB softer", asides()),
        )
    ):
        answered = [outcome(engines, sound, in_silence=True).answered for sound in sounds]
        share = sum(answered) / len(answered)
        right = share if number < 2 else 1 - share
        rows.append([name, len(answered), f"{100 * share:.0f} %", f"{100 * right:.0f} %"])
    return table("Speech in silence", ["said in silence", "how many", "answered", "right"], rows)


def scripted_engines() -> Engines:
    """Load the voice detector and the recognizer, beside a scripted reply."""
    model = ScriptedModel(REPLY)
    recognizer, synthesizer = MoonshineRecognizer(), ScriptedSynthesizer(block_ms=1000)
    cascade = Cascade(SharedEngine(recognizer), SharedEngine(model), SharedEngine(synthesizer))
    return Engines(SileroDetector(), EndpointerSettings(), cascade, check_sound=False)


def main() -> str:
    """Run the benchmark and return its tables."""
    engines = scripted_engines()
    try:
        return over_reply(engines) + "\n" + in_silence(engines)
    finally:
        engines.close()


if __name__ == "__main__":
    print(main())
