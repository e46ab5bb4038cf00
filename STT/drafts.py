"""Drafts: earlier results of a recognizer for the beginning of the same audio."""

import threading
from collections import OrderedDict
from collections.abc import Sequence

from pipeline.messages import Samples

MAX_DRAFTS = 64
"""Number of utterances that are remembered, each of another session."""

BEGINNING = 4800
"""Number of samples by which an utterance is recognized again."""

MAX_SKIPPED = 3
"""Tokens of a draft that may be skipped: more of them would be other words."""


class Drafts:
    """Remembers the tokens of the latest utterances. An utterance is recognized several times while it
    grows. Most of its words stay, so its tokens are a draft for the next time. Thread-safe."""

    def __init__(self) -> None:
        self._tokens: OrderedDict[bytes, Sequence[int]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, samples: Samples) -> Sequence[int]:
        """The tokens of an utterance that began like this one; empty if there was none."""
        with self._lock:
            return self._tokens.get(samples[:BEGINNING].tobytes(), ())

    def keep(self, samples: Samples, tokens: Sequence[int]) -> None:
        """Remember the tokens of an utterance, and forget the oldest."""
        with self._lock:
            beginning = samples[:BEGINNING].tobytes()
            self._tokens[beginning] = tokens
            self._tokens.move_to_end(beginning)
            if len(self._tokens) > MAX_DRAFTS:
                self._tokens.popitem(last=False)


def after(draft: Sequence[int], token: int) -> Sequence[int]:
    """The rest of a draft after a token that differs from it: the token replaces the next ones of the
    draft, or was inserted before them."""
    near = list(draft[:MAX_SKIPPED])
    return draft[near.index(token) + 1 :] if token in near else draft
