"""Captions: aligns the text of a spoken answer with its audio."""

import math
import re
import unicodedata
from collections import deque
from collections.abc import Iterator

import numpy as np

from LLM.sentences import segments
from pipeline.language import plain
from pipeline.messages import AudioChunk
from S2S.base import SpokenPiece

CHARS_PER_S = 15.0
"""Assumed rate of speech: conversational English has 13 to 17 characters a second."""

WIDE_CHARS = 3
"""A character of Chinese or Japanese takes as long to say as three Latin letters."""


LATE_S = 1.0
"""Delay of a sentence that is still being written, so that it can be completed."""

_ENDS = re.compile(r"(?<!\d\.)(?<=[.!?…。！？।॥؟])[\"'”’)]*\s*$")
"""The end of a sentence, as far as can be told yet: "3." may become "3.5"."""


class Captions:
    """Models write an answer faster than they speak it, or write all of the text before the audio. Each
    sentence waits for the audio in which it is likely to begin, as estimated from the lengths of the
    sentences before it. So the words shown and remembered are those that were heard."""

    def __init__(self, language: str | None) -> None:
        self._language = language and plain(language)
        self._unfinished = ""
        self._complete: deque[str] = deque()
        self._begins_s = 0.0
        """Time at which the next sentence is likely to begin, in seconds of audio."""
        self._heard_s = 0.0
        self._rate_hz = 16000

    def write(self, text: str) -> None:
        """Add the next characters of the text."""
        *complete, self._unfinished = segments(self._unfinished + text, self._language)
        self._complete.extend(complete)

    def speak(self, audio: AudioChunk) -> Iterator[SpokenPiece]:
        """Yield the next audio, cut where a sentence begins."""
        self._rate_hz, position = audio.sample_rate_hz, 0
        while position < len(audio.samples):
            text = self._next() if self._heard_s >= self._due_s else None
            end = len(audio.samples)
            if math.isfinite(self._due_s):
                until_due = round((self._due_s - self._heard_s) * audio.sample_rate_hz)
                end = min(end, position + max(until_due, 1))
            yield SpokenPiece(audio.cut(position, end), text)
            self._heard_s += (end - position) / audio.sample_rate_hz
            position = end

    def end(self) -> Iterator[SpokenPiece]:
        """Yield the rest of the text, at the end of the audio."""
        if rest := "".join((*self._complete, self._unfinished)):
            yield SpokenPiece(AudioChunk(np.empty(0, np.float32), self._rate_hz), rest)

    @property
    def _due_s(self) -> float:
        """Time at which the next text is to begin; infinity: there is none."""
        if self._complete or _ENDS.search(self._unfinished):
            return self._begins_s
        return self._begins_s + LATE_S if self._unfinished else math.inf

    def _next(self) -> str:
        """Take the next sentence, or the complete words of an unfinished one."""
        if not self._complete:
            ended = _ENDS.search(self._unfinished)
            cut = 0 if ended else self._unfinished.rfind(" ") + 1
            cut = cut or len(self._unfinished)
            self._complete.append(self._unfinished[:cut])
            self._unfinished = self._unfinished[cut:]
        sentence = self._complete.popleft()
        self._begins_s = self._heard_s + _seconds(sentence)
        return sentence


def _seconds(text: str) -> float:
    """The time that it takes to say a text."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return (len(text) + (WIDE_CHARS - 1) * wide) / CHARS_PER_S
