"""Speech over a reply: how soon the reply is ducked and silent, and which sounds stop it for good.

On a sample clock, with the real voice detector and the real recognizer; the reply is scripted.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.figures import median, percentile, table
from benchmarks.speech import RATE_HZ, utterances
from engines.engines import Cascade, Engines
from pipeline.audio import resample, rms
from pipeline.clock import SampleClock
from pipeline.events import Ducked, Event, Interrupted, Paused
from pipeline.messages import Samples
from pipeline.settings import EndpointerSettings
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from s2s_pipeline import build_pipeline
from STT.moonshine import MoonshineRecognizer
from testing.fakes import ScriptedModel, ScriptedSynthesizer
from testing.sinks import RecordingSink
from TTS.espeak import EspeakSynthesizer
from VAD.silero import SileroDetector

WINDOW = 512
REPLY = "A reply that goes on for a long time so that there is something to interrupt. " * 3
NODS = ("Mm-hm.", "Uh-huh.", "Yeah.", "Okay.", "Right.")
VOICES = ("en-us", "en-gb", "en-us+f3", "en-gb+m7")
SOFT = 0.35
"""9 dB softer than a turn: the level of a listener's backchannels."""
FOLLOWED_S = 3.0


@dataclass(frozen=True)
class Outcome:
    """Effect on a reply of a sound made over it."""

    ducked_ms: float | None
    """Time from the onset to quieter frames, on the sample clock."""
    silent_ms: float | None
    """Time from the onset to the last frame that left playout before the pause."""
    stopped: bool


def coughs() -> Iterator[Samples]:
    """Generate decaying bursts of noise of 60 to 180 ms, like a cough or a knock."""
    chance = np.random.default_rng(0)
    for length_ms in range(60, 181, 12):
        length = length_ms * RATE_HZ // 1000
        burst = chance.normal(0, 0.2, length) * np.exp(-np.arange(length) / (length / 3))
        yield burst.astype(np.float32)


def nods() -> Iterator[Samples]:
    """Generate short words of agreement in four eSpeak voices, softer than the first question."""
    synthesizer = EspeakSynthesizer()
    level = rms(first_question())
    for voice in VOICES:
        for word in NODS:
            chunks = list(synthesizer.synthesize(word, voice, None, CancelToken()))
            audio = resample(chunks[0].samples, chunks[0].sample_rate_hz, RATE_HZ)
            audio = np.trim_zeros(audio)
            yield (audio * (SOFT * level / rms(audio))).astype(np.float32)


def first_question() -> Samples:
    """The utterance of median loudness, the reference for the level of the others."""
    return sorted(utterances(), key=rms)[len(utterances()) // 2]


class Listener:
    """A session that was asked a first question and is playing the reply to it."""

    def __init__(self, engines: Engines) -> None:
        self.clock = SampleClock(RATE_HZ)
        self.sink = RecordingSink(self.clock.now, full_duplex=True)
        self.session = build_pipeline(engines, self.sink, clock=self.clock)
        self.clock.on_advance(self.session.playout.wake)
        self._mail = self.session.events.subscribe()
        self.hear(first_question())
        while not self.sink.frames:
            self.hear(np.zeros(WINDOW, np.float32))
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


def outcome(engines: Engines, audio: Samples) -> Outcome:
    """Play a sound over a reply and return its effect."""
    listener = Listener(engines)
    voiced = np.flatnonzero(np.abs(audio) > 0.02)
    onset = listener.clock.now() + (int(voiced[0]) if len(voiced) else 0) / RATE_HZ
    rest = np.zeros(int(FOLLOWED_S * RATE_HZ), np.float32)
    happened = listener.hear(np.concatenate((audio, rest)))
    listener.close()

    def since_onset(kind: type) -> float | None:
        moments = [moment for moment, _, event in happened if isinstance(event, kind)]
        return 1000 * (moments[0] - onset) if moments else None

    stopped = any(isinstance(event, Interrupted) for *_, event in happened)
    return Outcome(since_onset(Ducked), since_onset(Paused), stopped)


def main() -> str:
    """Run the benchmark and return its table."""
    model = ScriptedModel(REPLY)
    recognizer, synthesizer = MoonshineRecognizer(), ScriptedSynthesizer(block_ms=1000)
    cascade = Cascade(SharedEngine(recognizer), SharedEngine(model), SharedEngine(synthesizer))
    engines = Engines(SileroDetector(), EndpointerSettings(), cascade)
    rows: list[list[object]] = []
    for name, sounds in (
        ("coughs: bursts of noise, 60 to 180 ms", coughs()),
        ("nods: five words, four voices, 9 dB softer", nods()),
        ("turns: human utterances", iter(utterances())),
    ):
        outcomes = [outcome(engines, sound) for sound in sounds]
        ducked = [o.ducked_ms for o in outcomes if o.ducked_ms is not None]
        silent = [o.silent_ms for o in outcomes if o.silent_ms is not None]
        stopped = sum(o.stopped for o in outcomes)
        figures = [
            f"{median(ms):.0f} / {percentile(ms, 0.95):.0f}" if ms else "–" for ms in (ducked, silent)
        ]
        rows.append([name, len(outcomes), *figures, f"{100 * stopped / len(outcomes):.0f} %"])
    engines.close()
    header = ["said over a reply", "how many", "ducked after, median / p95 ms"]
    header += ["silent after, median / p95 ms", "stopped it for good"]
    return table("Barge-in", header, rows)


if __name__ == "__main__":
    print(main())
