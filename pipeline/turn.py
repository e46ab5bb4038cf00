"""Turn: one exchange, its life and its marks on the clock. CancelToken: how its work is stopped."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Protocol

from pipeline.latency import Mark
from pipeline.settings import SessionSettings

logger = logging.getLogger(__name__)


class CancelToken:
    """A flag that is raised once, and calls back those who cannot look at it.

    An engine that computes looks at `cancelled` between two steps; one that waits in a native call or
    on a socket registers what wakes it with `on_cancel`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: dict[object, Callable[[], None]] = {}
        self.cancelled = False

    def cancel(self) -> None:
        """Raise the flag and call everybody back, in this thread; a second call does nothing."""
        with self._lock:
            if self.cancelled:
                return
            self.cancelled = True
            callbacks = list(self._callbacks.values())
            self._callbacks.clear()
        for callback in callbacks:
            self._call(callback)

    @contextmanager
    def on_cancel(self, callback: Callable[[], None]) -> Iterator[None]:
        """Within the block, `callback` runs when the token is cancelled; at once if it already was.

        It runs in the thread that cancels, so it must be quick and must not wait; it may still be
        running when the block is left.
        """
        key = object()
        with self._lock:
            cancelled = self.cancelled
            if not cancelled:
                self._callbacks[key] = callback
        if cancelled:
            self._call(callback)
        try:
            yield
        finally:
            with self._lock:
                self._callbacks.pop(key, None)

    @staticmethod
    def _call(callback: Callable[[], None]) -> None:
        try:
            callback()
        except Exception:
            logger.exception("A callback of a cancelled turn failed; the others are still called")


class Origin(Enum):
    """The cause of a turn."""

    SPEECH = "speech"
    TEXT = "text"
    PROGRAM = "program"
    TOOL = "tool"

    @property
    def is_user(self) -> bool:
        """True if the user said or typed something."""
        return self in (Origin.SPEECH, Origin.TEXT)


class TurnState(Enum):
    """Where a turn stands; see the table in docs/architecture.md."""

    TENTATIVE = "tentative"
    COMMITTED = "committed"
    SPEAKING = "speaking"
    DONE = "done"
    INTERRUPTED = "interrupted"
    DROPPED = "dropped"


_S = TurnState
_ALIVE = (_S.TENTATIVE, _S.COMMITTED, _S.SPEAKING)
_MOVES: dict[str, dict[TurnState, TurnState]] = {
    "commit": {_S.TENTATIVE: _S.COMMITTED},
    "speak": {_S.COMMITTED: _S.SPEAKING},
    "finish": {_S.COMMITTED: _S.DONE, _S.SPEAKING: _S.DONE},
    "interrupt": dict.fromkeys(_ALIVE, _S.INTERRUPTED),
    "drop": dict.fromkeys((_S.TENTATIVE, _S.COMMITTED), _S.DROPPED),
}


class TurnObserver(Protocol):
    """Learns what becomes of a turn: the session. Called without a lock, in the thread of the caller."""

    def now(self) -> float:
        """The time of the session's clock, in seconds."""
        ...

    def turn_moved(self, turn: "Turn", state: TurnState) -> None: ...

    def turn_failed(self, turn: "Turn", stage: str, error: Exception) -> None: ...


class Turn:
    """One exchange: everything that it sets off carries this object.

    Every move may be called from any thread and any number of times; it returns whether it was made.
    """

    def __init__(
        self,
        number: int,
        origin: Origin,
        settings: SessionSettings,
        observer: TurnObserver,
    ) -> None:
        self.number = number
        self.origin = origin
        self.settings = settings
        self.cancel = CancelToken()
        self.user_text = ""
        self.language: str | None = None
        self.ended_because: str | None = None
        self.was_committed = False
        """Whether it ever counted; of a guess that was taken back nothing is told or remembered."""
        self.remembered = True
        """Whether it is part of the conversation."""
        self.failed = False
        """Whether a stage could not do its part, so that the answer may be shorter than was meant."""
        self.settled = False
        """Whether playout has drawn the line under it; guarded by the lock of the playout."""
        self.on_commit: list[Callable[[], None]] | None = []
        """Calls to make once it is committed; None: they were made. Guarded by the lock of `Turns`."""
        self.marks: dict[str, Mark] = {}
        self._state = TurnState.TENTATIVE
        self._lock = threading.Lock()
        self._observer = observer

    def __repr__(self) -> str:
        return f"<Turn {self.number} {self._state.value}>"

    @property
    def state(self) -> TurnState:
        """The present state; it may have moved on by the time you look."""
        return self._state

    @property
    def alive(self) -> bool:
        """Whether somebody still waits for more of this turn."""
        return self._state in _ALIVE

    def commit(self) -> bool:
        """The user is done: what was prepared may be heard."""
        return self._move("commit")

    def speak(self) -> bool:
        """Something that cannot be taken back, the first sample, is about to be released."""
        return self._move("speak")

    def finish(self, because: str) -> bool:
        """All of it was heard, or there was nothing to hear. Only playout calls this."""
        return self._move("finish", because)

    def interrupt(self, because: str) -> bool:
        """Stop everything; what was heard is remembered."""
        return self._move("interrupt", because)

    def drop(self, because: str) -> bool:
        """Stop everything and forget it; refused once something was heard."""
        return self._move("drop", because)

    def fail(self, stage: str, error: Exception) -> None:
        """Report that `stage` could not do its part. What was made before is still spoken."""
        self.failed = True
        self._observer.turn_failed(self, stage, error)

    def mark(self, name: str, at: float | None = None) -> None:
        """Note when `name` first happened: now, or `at` on the session's clock."""
        if name not in self.marks:
            self.marks[name] = self._mark_at(at)

    def mark_last(self, name: str) -> None:
        """Note that `name` happened now, replacing an earlier time."""
        self.marks[name] = self._mark_at(None)

    def _mark_at(self, at: float | None) -> Mark:
        return Mark(self._observer.now() if at is None else at, time.monotonic())

    def _move(self, name: str, because: str | None = None) -> bool:
        with self._lock:
            following = _MOVES[name].get(self._state)
            if following is None:
                return False
            self._state = following
            self.was_committed |= following is TurnState.COMMITTED
            self.ended_because = because
        try:
            self._observer.turn_moved(self, following)
        finally:  # first the silence, then the engines: a callback that is slow must not be heard
            if not self.alive:
                self.cancel.cancel()
        return True
