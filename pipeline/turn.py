"""Turn: one exchange, its states and its marks on the clock. CancelToken: stops its work."""

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
    """A flag that is raised once, with callbacks for work that cannot look at it.

    An engine that computes looks at `cancelled` between two steps; one that waits in a native call or
    on a socket registers a callback that wakes it with `on_cancel`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: dict[object, Callable[[], None]] = {}
        self.cancelled = False

    def cancel(self) -> None:
        """Raise the flag and make the callbacks, in this thread; a second call does nothing."""
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
    DUPLEX = "duplex"
    """The open-ended turn of a full-duplex model."""

    @property
    def is_user(self) -> bool:
        """True if the user said or typed something."""
        return self in (Origin.SPEECH, Origin.TEXT)


class TurnState(Enum):
    """State of a turn; see the table in docs/architecture.md."""

    TENTATIVE = "tentative"
    COMMITTED = "committed"
    SPEAKING = "speaking"
    DONE = "done"
    FAILED = "failed"
    """Over, like `DONE`, but a stage failed, so the reply is missing or incomplete."""
    INTERRUPTED = "interrupted"
    DROPPED = "dropped"


_S = TurnState
_ALIVE = (_S.TENTATIVE, _S.COMMITTED, _S.SPEAKING)
_MOVES: dict[str, dict[TurnState, TurnState]] = {
    "commit": {_S.TENTATIVE: _S.COMMITTED},
    "speak": {_S.COMMITTED: _S.SPEAKING},
    "finish": {_S.COMMITTED: _S.DONE, _S.SPEAKING: _S.DONE},
    "finish failed": {_S.COMMITTED: _S.FAILED, _S.SPEAKING: _S.FAILED},
    "interrupt": dict.fromkeys(_ALIVE, _S.INTERRUPTED),
    "drop": dict.fromkeys((_S.TENTATIVE, _S.COMMITTED), _S.DROPPED),
}


class TurnObserver(Protocol):
    """The object that is told about changes of a turn: the session. Called without a lock, on the
    caller's thread."""

    def now(self) -> float:
        """The time of the session's clock, in seconds."""
        ...

    def turn_moved(self, turn: "Turn", state: TurnState) -> None: ...

    def turn_failed(self, turn: "Turn", stage: str, error: Exception) -> None: ...


class Turn:
    """One exchange: every message that it causes carries this object.

    A move (`commit` to `drop`) may be called from any thread and any number of times; it returns True if
    the state changed.
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
        """True once it was committed; a tentative turn that was taken back leaves no trace."""
        self.remembered = True
        """True if it is part of the conversation."""
        self.failed = False
        """True if a stage failed, so that the reply may be incomplete."""
        self.apologized = False
        """True if the voice tells of the failure in place of an answer; this is not remembered."""
        self.heard_ms = 0.0
        """Length of the heard part of the reply, once that is settled."""
        self.settled = False
        """True once playout has frozen its ledger; guarded by the lock of the playout."""
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
        """The current state; it may change at any time."""
        return self._state

    @property
    def announced(self) -> bool:
        """True once the commit, and all that waited for it, such as the user's words, was reported."""
        return self.on_commit is None

    @property
    def alive(self) -> bool:
        """True if more of this turn is wanted."""
        return self._state in _ALIVE

    def commit(self) -> bool:
        """Commit: the user has finished, so a reply that is ready may be heard."""
        return self._move("commit")

    def speak(self) -> bool:
        """Mark the turn as speaking: the first sample is about to be released, which cannot be
        undone."""
        return self._move("speak")

    def finish(self, because: str, *, unheard: bool = False) -> bool:
        """Finish the turn: all of the reply was heard, or there was none. It has failed if a stage has,
        or if its words had no audio (`unheard`). Only playout calls this."""
        return self._move("finish failed" if self.failed or unheard else "finish", because)

    def interrupt(self, because: str) -> bool:
        """Stop all work; the part that was heard is remembered."""
        return self._move("interrupt", because)

    def drop(self, because: str) -> bool:
        """Stop all work and forget the turn; refused once something was heard."""
        return self._move("drop", because)

    def fail(self, stage: str, error: Exception) -> None:
        """Report that `stage` failed. The part of the reply made before is still spoken."""
        self.failed = True
        self._observer.turn_failed(self, stage, error)

    def mark(self, name: str, at: float | None = None) -> None:
        """Note the first time of `name`: now, or `at` on the session's clock."""
        if name not in self.marks:
            self.marks[name] = self._mark_at(at)

    def mark_last(self, name: str) -> None:
        """Note the latest time of `name`: now."""
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
        finally:  # silence first, then the engines: a slow callback must not be audible
            if not self.alive:
                self.cancel.cancel()
        return True
