"""Memory: the history of a conversation."""

from typing import Protocol

from pipeline.messages import Recording


class Memory(Protocol):
    """Keeps the history. Called from any thread; must not wait."""

    def said(self, turn: int, text: str, audio: Recording | None = None) -> None:
        """Add the user's words of a committed turn, or replace those added earlier; with `audio` if
        there is no transcript."""
        ...

    def heard(self, turn: int, text: str, cut_short: bool) -> None:
        """Add the part of the reply that the user heard; the turn is over."""
        ...

    def revise(self, turn: int, heard: str) -> None:
        """Correct the part of the reply that was heard."""
        ...

    def forget(self, turn: int) -> None:
        """Remove a turn that was dropped."""
        ...


class Forgetful:
    """The memory of a model that has none."""

    def said(self, turn: int, text: str, audio: Recording | None = None) -> None: ...

    def heard(self, turn: int, text: str, cut_short: bool) -> None: ...

    def revise(self, turn: int, heard: str) -> None: ...

    def forget(self, turn: int) -> None: ...
