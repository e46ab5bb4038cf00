"""Memory: what keeps the history of a conversation."""

from typing import Protocol

from pipeline.messages import Recording


class Memory(Protocol):
    """Told from any thread; must not wait."""

    def said(self, turn: int, text: str, audio: Recording | None = None) -> None:
        """The user said or typed this, and it counts; `audio` where nobody knows the words."""
        ...

    def heard(self, turn: int, text: str, cut_short: bool) -> None:
        """A turn is over, and the user heard this of the answer."""
        ...

    def revise(self, turn: int, heard: str) -> None:
        """It turned out that `heard` was heard of the answer."""
        ...

    def forget(self, turn: int) -> None:
        """It did not count after all."""
        ...


class Forgetful:
    """The memory of a model that has none."""

    def said(self, turn: int, text: str, audio: Recording | None = None) -> None: ...

    def heard(self, turn: int, text: str, cut_short: bool) -> None: ...

    def revise(self, turn: int, heard: str) -> None: ...

    def forget(self, turn: int) -> None: ...
