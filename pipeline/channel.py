"""Channel: the queue between two stages."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

from pipeline.activity import Activity
from pipeline.turn import Turn


class _End:
    """The type of `END`."""

    turn: Final = None

    def __repr__(self) -> str:
        return "END"


END: Final = _End()
"""Sentinel that drains a session in order: each stage passes it on and ends."""


class Message(Protocol):
    """Anything that can travel in a channel: it names its turn; None if it has none yet."""

    @property
    def turn(self) -> Turn | None: ...


T = TypeVar("T", bound=Message)


class Channel(Generic[T]):
    """A bounded queue with one consumer, whose messages die with their turn.

    Two things set it apart from `queue.Queue`. A put that waits for room gives up at once when the
    turn of its message ends, or when the consumer refuses the rest of that turn. And a waiting consumer
    can be woken without a message, so that control never has to travel through the data.

    `capacity` is the number of messages that may wait; None: unlimited, for channels that are kept short
    by construction.
    """

    def __init__(self, capacity: int | None, activity: Activity) -> None:
        self.activity = activity
        self.on_empty: Callable[[], None] | None = None
        """Called by the consumer's thread after it has taken the last message; must not wait."""
        self.on_wake: Callable[[], None] = lambda: None
        """Called, under the lock, when a polling consumer may find something again; must not wait."""
        self._capacity = capacity
        self._messages: deque[T | _End] = deque()
        self._condition = threading.Condition(threading.Lock())
        self._asleep = 0
        self._wake_ups = 0
        self._woken = False
        self._refused: Turn | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, message: T | _End) -> bool:
        """Add a message, waiting for room. Returns False if it is no longer wanted: stop producing.

        `END`, and messages without a turn, never wait.
        """
        turn = message.turn
        if turn is None:
            with self._condition:
                return self._append(message)
        with turn.cancel.on_cancel(self.forget_the_dead), self._condition:
            while self._is_wanted(turn) and self._is_full():
                self._sleep(None)
            return self._is_wanted(turn) and self._append(message)

    def offer(self, *messages: T) -> bool:
        """Add these messages in a row if there is room for at least one; never waits.

        For callers outside the stages of the session: a connection, the program itself.
        """
        with self._condition:
            if self._is_full() or self._closed:
                return False
            for message in messages:
                self._append(message)
            return True

    def forget_the_dead(self) -> None:
        """Remove the messages of turns that have ended."""
        with self._condition:
            self._purge()
            self._notify()

    def get(self, timeout_s: float | None = None, *, taking: bool = True) -> T | _End | None:
        """Return the next message; None when woken or when `timeout_s` has passed.

        With ``taking=False`` messages stay in the channel: the consumer only waits to be woken.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        with self._condition:
            while not self._woken and not (taking and self._messages):
                if self._closed:
                    return END
                remaining_s = None if deadline is None else deadline - time.monotonic()
                if remaining_s is not None and remaining_s <= 0:
                    return None
                self._sleep(remaining_s)
            if self._woken:
                self._woken = False
                return None
            message, is_empty = self._take()
        if is_empty and self.on_empty is not None:
            self.on_empty()
        return message

    def poll(self) -> T | _End | None:
        """Return the next message without waiting, for a thread that serves many channels.

        None: there is none; the consumer counts as asleep, and `on_wake` will be called.
        """
        with self._condition:
            if not self._messages and not self._closed:
                self._asleep += 1
                self.activity.sleeps()
                return None
            if not self._messages:
                return END
            message, is_empty = self._take()
        if is_empty and self.on_empty is not None:
            self.on_empty()
        return message

    def wake(self) -> None:
        """Make the consumer's current `get`, or its next one, return None."""
        with self._condition:
            self._woken = True
            self._notify()

    def refuse(self, turn: Turn) -> None:
        """Take no more of `turn`: discard its messages and stop its producer."""
        with self._condition:
            self._refused = turn
            self._purge()
            self._notify()

    def close(self) -> None:
        """Discard all messages, take no more, and wake every waiting thread."""
        with self._condition:
            self._closed = True
            self._messages.clear()
            self._notify()

    def _is_full(self) -> bool:
        return self._capacity is not None and len(self._messages) >= self._capacity

    def _is_wanted(self, turn: Turn) -> bool:
        return turn.alive and turn is not self._refused and not self._closed

    def _append(self, message: T | _End) -> bool:
        if self._closed:
            return False
        self._messages.append(message)
        self._notify()
        return True

    def _take(self) -> tuple[T | _End, bool]:
        """Remove the next message; returns it, and True if the channel is empty now."""
        message = self._messages.popleft()
        self._notify()
        return message, not self._messages

    def _purge(self) -> None:
        living = [m for m in self._messages if m.turn is None or self._is_wanted(m.turn)]
        if len(living) < len(self._messages):
            self._messages.clear()
            self._messages.extend(living)

    def _notify(self) -> None:
        """Wake every thread that sleeps here, counting it as awake from this moment."""
        if self._asleep:
            self.activity.woke(self._asleep)
            self._asleep = 0
            self._wake_ups += 1
            self._condition.notify_all()
            self.on_wake()

    def _sleep(self, timeout_s: float | None) -> None:
        self._asleep += 1
        wake_ups = self._wake_ups
        self.activity.sleeps()
        self._condition.wait(timeout_s)
        if self._wake_ups == wake_ups:  # not woken: the time was up, so count this thread as awake
            self._asleep -= 1
            self.activity.woke()
