"""ScriptFallback: a synthesizer that passes scripts it cannot read to another one."""

import functools
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace

import numpy as np

from pipeline.audio import resample
from pipeline.loudness import SPEECH_RMS, leveled, loudness, speech_bounds
from pipeline.messages import AudioChunk, Notice, WordTime
from pipeline.scripts import ScriptRun, script_runs, scripts_of
from pipeline.turn import CancelToken
from pipeline.words import has_words
from TTS.base import Synthesizer

PAUSE_MS = 40
"""Silence kept on each side of a change of voices: half of the gap between two words."""

MAX_RUNS = 50
"""A text with more changes of script is not a sentence; the synthesizer reads it as well as it can."""


class ScriptFallback:
    """A synthesizer whose text in a foreign script ("hello is こんにちは") is spoken by a reader, in the
    most likely language. Without the reader such words would be spelled ("Japanese letter") or left out.

    The synthesizer was created with `usual_voice` and `usual_language`.
    """

    def __init__(
        self,
        synthesizer: Synthesizer,
        new_reader: Callable[[], Synthesizer],
        usual_voice: str | None = None,
        usual_language: str | None = None,
    ) -> None:
        self._synthesizer = synthesizer
        self._new_reader = new_reader
        self._usual_voice, self._usual_language = usual_voice, usual_language
        self.info = synthesizer.info
        self._scripts = functools.lru_cache(self._scripts_of)

    @functools.cached_property
    def _reader(self) -> Synthesizer:
        return self._new_reader()

    def expect_voice(self, voice: str) -> None:
        """Accept the voices of the synthesizer."""
        self._synthesizer.expect_voice(voice)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk | Notice]:
        """Speak one sentence, at the rate of the synthesizer. If it changes voices, each run of one
        script is a chunk."""
        runs = [] if text.isascii() else self._runs(text, voice, language)
        if not any(run.language for run in runs) or len(runs) > MAX_RUNS:
            yield from self._synthesizer.synthesize(text, voice, language, cancel)
            return
        runs = [run for run in runs if has_words(run.text)]
        same = self._reader is self._synthesizer
        if not same:
            told = (
                f"{self._reader.info.name} speaks the words in scripts that {self.info.name} cannot read"
            )
            yield Notice("script_fallback", told)
        timed, target = same or all(run.language for run in runs), SPEECH_RMS
        for number, run in enumerate(runs):
            if cancel.cancelled:
                return
            if run.language is None:
                speech = self._synthesizer.synthesize(run.text, voice, language, cancel)
                chunk = yield from self._whole(speech)
                timed, target = bool(chunk.words), loudness(chunk.samples, chunk.sample_rate_hz)
            else:
                speech = self._reader.synthesize(run.text, run.language, run.language, cancel)
                chunk = yield from self._whole(speech)
                chunk = chunk if same else _like(chunk, target or SPEECH_RMS, self.info.sample_rate_hz)
            if len(chunk.samples):
                yield _joined(chunk, run.start if timed else None, number > 0, number < len(runs) - 1)

    def close(self) -> None:
        """Free both synthesizers."""
        self._synthesizer.close()
        if "_reader" in vars(self):
            self._reader.close()

    def _runs(self, text: str, voice: str | None, language: str | None) -> list[ScriptRun]:
        return script_runs(text, self._scripts(voice or self._usual_voice, language))

    def _scripts_of(self, voice: str | None, language: str | None) -> frozenset[str]:
        """The scripts that the synthesizer reads in a call."""
        info = self.info
        spoken = info.language_of(voice, language or self._usual_language)
        if info.mixes or spoken is None:
            return scripts_of(info.languages)
        return scripts_of([spoken]) - {info.spelled.get(spoken)}

    def _whole(self, outputs: Iterator[AudioChunk | Notice]) -> Generator[Notice, None, AudioChunk]:
        """Pass notices on; returns the audio as one chunk, empty if there is none."""
        parts: list[AudioChunk] = []
        words: list[WordTime] = []
        before = 0
        for output in outputs:
            if isinstance(output, Notice):
                yield output
                continue
            words += [replace(word, sample=before + word.sample) for word in output.words]
            before += len(output.samples)
            parts.append(output)
        samples = np.concatenate([part.samples for part in parts] or [np.empty(0, np.float32)])
        rate_hz = parts[0].sample_rate_hz if parts else self.info.sample_rate_hz
        return AudioChunk(samples, rate_hz, tuple(words))


def _like(chunk: AudioChunk, target: float, rate_hz: int) -> AudioChunk:
    """Convert a chunk to another loudness and rate."""
    samples = leveled(resample(chunk.samples, chunk.sample_rate_hz, rate_hz), rate_hz, target)
    words = tuple(
        replace(word, sample=word.sample * rate_hz // chunk.sample_rate_hz) for word in chunk.words
    )
    return AudioChunk(samples, rate_hz, words)


def _joined(chunk: AudioChunk, start: int | None, after: bool, before: bool) -> AudioChunk:
    """A chunk with its silence cut where it comes after or before another; its words begin at character
    `start` of the text, or are left out."""
    kept = chunk.sample_rate_hz * PAUSE_MS // 1000
    begin, end = speech_bounds(chunk.samples, chunk.sample_rate_hz)
    chunk = chunk.cut(max(begin - kept, 0) if after else 0, end + kept if before else len(chunk.samples))
    words = chunk.words if start is not None else ()
    return replace(chunk, words=tuple(replace(word, chars=(start or 0) + word.chars) for word in words))
