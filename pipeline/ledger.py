"""Ledger: the words of a reply that were heard."""

import itertools
import math
import unicodedata
from dataclasses import dataclass, field

SLOWEST_SPEECH_CHARS_PER_S = 12.0
"""Assumed rate of a text whose audio is still being made. Conversational English has 13 to 17 characters
a second; a slower rate rounds down the words that were heard."""


@dataclass(slots=True)
class _Span:
    text: str
    start_sample: int
    end_sample: int
    complete: bool
    words: list[tuple[int, int]] = field(default_factory=list)
    """First sample of each word, and the number of characters before it."""

    @property
    def is_silent(self) -> bool:
        return self.complete and self.start_sample == self.end_sample


class Ledger:
    """Maps samples of a reply, at the rate of the sink, to the words in them.

    Spans are entered as audio is generated; `heard` then returns the words before a sample. Within a
    span the position of a word comes from the synthesizer, or else is estimated from the lengths of the
    words. A word counts as heard only when it is over.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._past = ""
        """The texts that `forget` has removed."""
        self._past_texts = 0
        self._spans: list[_Span] = []
        self._good_until: float = math.inf

    def text_starts(self, text: str, sample: int) -> None:
        """Begin a text whose audio starts at `sample`; the text before it is complete."""
        self.text_ends()
        self._spans.append(_Span(text, sample, sample, complete=False))

    def word_starts(self, chars: int, spoken_chars: int, sample: int) -> None:
        """Enter a word that begins at `sample`, after `chars` of the `spoken_chars` characters of the
        text as spoken. The written text may be longer or shorter, so the position is scaled."""
        if self._spans and spoken_chars:
            span = self._spans[-1]
            span.words.append((sample, chars * len(span.text) // spoken_chars))

    def audio_reaches(self, sample: int) -> None:
        """Extend the audio of the latest text up to `sample`."""
        if self.text_is_open:
            self._spans[-1].end_sample = max(self._spans[-1].end_sample, sample)

    def text_ends(self) -> None:
        """Mark the audio of the latest text as complete, unless it was cut off."""
        if self._spans and self._good_until == math.inf:
            self._spans[-1].complete = True

    def cut_off(self, sample: int) -> None:
        """End the words at `sample`, in the middle of a text: the audio after it is not speech."""
        self._good_until = sample

    @property
    def text_is_open(self) -> bool:
        """True if more audio of the latest text is to come."""
        return bool(self._spans) and not self._spans[-1].complete

    def begun(self, sample: int, told: int = 0) -> list[str]:
        """The texts whose audio begins before `sample`, less the first `told`.

        A text without audio begins at its sample.
        """
        following = itertools.islice(self._spans, max(0, told - self._past_texts), None)
        begun = itertools.takewhile(lambda s: s.start_sample < sample + s.is_silent, following)
        return [span.text for span in begun]

    def heard(self, samples: int) -> str:
        """The words that are over after this number of samples."""
        good = int(min(samples, self._good_until))
        present = "".join(self._heard_of(span, good) for span in self._spans)
        return (self._past + present).strip()

    def forget(self, sample: int, told: int) -> None:
        """Keep only the words of the texts that ended before `sample`, for replies without an end.

        Only the first `told` texts, which were announced, may be forgotten.
        """
        count = 0
        for span in itertools.islice(self._spans, max(0, told - self._past_texts)):
            if not (span.complete and span.end_sample <= sample):
                break
            self._past += span.text
            count += 1
        del self._spans[:count]
        self._past_texts += count

    def _heard_of(self, span: _Span, samples: int) -> str:
        if span.complete and samples >= span.end_sample:
            return span.text
        if span.words:
            begun = [chars for sample, chars in span.words if sample <= samples]
            return _whole_words(span.text, begun[-1] if begun else 0)
        end = span.end_sample
        if not span.complete:
            longest = len(span.text) / SLOWEST_SPEECH_CHARS_PER_S
            end = max(end, span.start_sample + math.ceil(longest * self._rate_hz))
        length = end - span.start_sample
        share = (samples - span.start_sample) / length if length > 0 else 0.0
        return _whole_words(span.text, int(share * len(span.text)))


def _whole_words(text: str, characters: int) -> str:
    """The words of `text` that end within its first `characters` characters."""
    characters = max(0, min(characters, len(text)))
    while characters > 0 and not _word_ends(text, characters):
        characters -= 1
    return text[:characters].rstrip()


def _word_ends(text: str, position: int) -> bool:
    """True if a word ends before `position`; in scripts without spaces each wide character is a word."""
    if position == len(text) or text[position].isspace():
        return True
    return unicodedata.east_asian_width(text[position - 1]) in "WF"
