"""SharedEngine: one loaded engine, its slots, and the queue of callers."""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from pipeline.engine_info import EngineInfo
from pipeline.errors import EngineBusy, EngineError
from pipeline.messages import Notice
from pipeline.turn import CancelToken

logger = logging.getLogger(__name__)

SLOT_WAIT_S = 10.0
"""Time that a call may wait in the queue. After that the user has given up on the answer."""

YIELD_WAIT_S = 60.0
"""Time that a call that gives way may wait: giving up would lose a transcription of an hour."""

STALL_S = 120.0
"""Time without output after which the caller gives a call up: a large model that reads a long prompt on
a slow machine needs a minute, one that hangs needs forever."""


class Engine(Protocol):
    """The interface of every engine."""

    @property
    def info(self) -> EngineInfo: ...

    def close(self) -> None:
        """Free the weights. No call is running and none will come."""
        ...


E = TypeVar("E", bound=Engine)
T = TypeVar("T")
Work: TypeAlias = Callable[[E, CancelToken], Iterator[T]]


class _Call(Generic[T]):
    """One call: the work, and an outbox from which its caller takes the outputs.

    The outbox has no bound because a call has one: it is a sentence or a reply. So the slot is free as
    soon as the computing is over, however slowly the listener takes what came of it.
    """

    def __init__(
        self,
        work: Callable[[Any, CancelToken], Iterator[T]],
        *,
        awaited: bool = True,
        gives_way: bool = False,
    ) -> None:
        self.cancel = CancelToken()
        self.awaited = awaited
        self.gives_way = gives_way
        self._work = work
        self._outputs: deque[T] = deque()
        self._error: BaseException | None = None
        self._started = False
        self._finished = False
        self._condition = threading.Condition()

    def compute(self, engine: Any) -> None:
        """Do the work, on the thread of a slot, until it is done or the caller gives it up."""
        self._started = True
        try:
            for output in self._work(engine, self.cancel):
                if self.cancel.cancelled:
                    break
                with self._condition:
                    self._outputs.append(output)
                    self._condition.notify()
        except BaseException as error:  # it belongs to the caller, whatever it is
            self._error = error
        finally:
            self._finished = True
            self._wake()

    def abandon(self) -> None:
        """Give the call up: the caller wants no more output."""
        self.cancel.cancel()
        self._wake()

    def take(
        self, too_late: Callable[[bool, float], EngineError], first_output_s: float | None
    ) -> Iterator[T]:
        """Yield the outputs as they come, on the caller's thread.

        ``too_late(started, after_s)`` makes the error for a call that did not start, or hangs.
        """
        slot_wait_s = YIELD_WAIT_S if self.gives_way else SLOT_WAIT_S
        limit = _Limit(first_output_s)
        while True:
            with self._condition:
                if not (self._happens(limit.left_of(slot_wait_s)) or self._started):
                    raise too_late(False, limit.of(slot_wait_s))
                if not self._happens(limit.left_of(STALL_S)):
                    raise too_late(True, limit.of(STALL_S))
                if self.cancel.cancelled:
                    return
                if not self._outputs:
                    if self._error is not None:
                        raise self._error
                    return
                output = self._outputs.popleft()
            if not isinstance(output, Notice):
                limit = _Limit(None)
            yield output

    def _happens(self, within_s: float) -> bool:
        """Wait for an output, the end, or the cancellation of the call."""
        return self._condition.wait_for(
            lambda: bool(self._outputs) or self._finished or self.cancel.cancelled, within_s
        )

    def _wake(self) -> None:
        with self._condition:
            self._condition.notify()


class _Limit:
    """The time limit of a call that must have an output, and not only a sign of life, by a certain
    time."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = math.inf if seconds is None else seconds
        self._until = time.monotonic() + self._seconds

    def of(self, usual_s: float) -> float:
        """The shorter of both."""
        return min(usual_s, self._seconds)

    def left_of(self, usual_s: float) -> float:
        """Time left to wait from now on."""
        return min(usual_s, max(0.0, self._until - time.monotonic()))


class SlotThread(threading.Thread):
    """Thread on which an engine computes, or is loaded. Those of its slots end when it is closed, unless
    a call does not return."""


class _Loaded(Generic[E]):
    """An engine, the calls that run in it, and the number of its threads."""

    def __init__(self, engine: E) -> None:
        self.engine = engine
        self.running: list[_Call[Any]] = []
        self.threads = 0
        self.dismissed = False
        """True if it is to be closed with the end of its last call."""


class SharedEngine(Generic[E]):
    """Serves all sessions with one engine, which may be replaced by another at any time.

    A call runs on the thread of a slot while its caller waits for output *or cancellation*: a caller
    is never stuck in an engine. A call that does not return keeps its slot until it does. Callers are
    served in the order in which they came, but those that give way come last; a cancelled one leaves
    the queue. A call that runs goes on with the engine in which it began; those in the queue get the
    engine that is there when they start.
    """

    def __init__(self, engine: E) -> None:
        self._line: deque[_Call[Any]] = deque()
        self._loaded = _Loaded(engine)
        self._former: list[_Loaded[E]] = []
        """Engines that were replaced and are not closed yet."""
        self._condition = threading.Condition()
        self._closed = False

    @property
    def engine(self) -> E:
        """The engine that gets the next call."""
        return self._loaded.engine

    @property
    def stuck(self) -> int:
        """Number of calls that their caller has given up and that have not returned."""
        with self._condition:
            return sum(call.cancel.cancelled for call in self._loaded.running)

    @property
    def free_slots(self) -> int:
        """Number of calls that could start now, or as soon as the calls that were given up, or give way,
        are over."""
        with self._condition:
            calls = (*self._loaded.running, *self._line)
            awaited = sum(call.awaited and not call.gives_way for call in calls)
            return max(0, self.engine.info.slots - awaited)

    @property
    def idle_slots(self) -> int:
        """Number of slots that have nothing at all to do."""
        with self._condition:
            return max(0, self.engine.info.slots - len(self._loaded.running) - len(self._line))

    def stream(
        self,
        work: Work[E, T],
        cancel: CancelToken,
        first_output_s: float | None = None,
        *,
        gives_way: bool = False,
    ) -> Generator[T, None, None]:
        """Yield the outputs of ``work(engine, cancel)``; end early when `cancel` is raised. A call that
        `gives_way` starts after all others that wait: nobody in a conversation waits for it.

        The engine gets a token of its own, which is also raised when this generator is closed. Raises
        the engine's errors, `EngineBusy` if no slot came free within `SLOT_WAIT_S` (`YIELD_WAIT_S` for a
        call that gives way), and `EngineError` if nothing came for `STALL_S`. Raises one of these two
        also if `first_output_s` passes without any output except notices.
        """
        call: _Call[T] = _Call(work, gives_way=gives_way)
        with cancel.on_cancel(call.abandon):
            self._line_up(call)
            try:
                yield from call.take(self._too_late, first_output_s)
            finally:
                call.abandon()
                self._leave(call)

    def call(
        self, work: Callable[[E, CancelToken], T], cancel: CancelToken, *, gives_way: bool = False
    ) -> T | None:
        """Return the result of ``work(engine, cancel)``, or None if `cancel` was raised first."""

        def once(engine: E, token: CancelToken) -> Iterator[T]:
            return iter([work(engine, token)])

        for result in self.stream(once, cancel, gives_way=gives_way):
            return result
        return None

    def later(self, work: Callable[[E], object]) -> None:
        """Do `work` when a slot is free. No caller waits for it; its errors are logged."""

        def compute(engine: E, _: CancelToken) -> Iterator[None]:
            try:
                work(engine)
            except Exception as error:
                logger.error("%s failed: %s", engine.info.name, type(error).__name__)
            return iter(())

        self._line_up(_Call(compute, awaited=False))

    def replace(self, engine: E) -> E:
        """Give all calls that have not started to another engine; returns the one before.

        That one is kept, so that it can come back by another `replace`, until it is dismissed.
        """
        with self._condition:
            before = self._loaded
            known = next((each for each in self._former if each.engine is engine), None)
            self._former = [each for each in (*self._former, before) if each is not known]
            self._loaded = known or _Loaded(engine)
            self._condition.notify_all()  # the threads of the one before end
            for _ in self._line:
                self._add_thread()
        return before.engine

    def dismiss(self, engine: E) -> None:
        """Close an engine that was replaced, once no call runs in it; `close` has closed it already."""
        with self._condition:
            former = next((each for each in self._former if each.engine is engine), None)
            if former is None:
                return
            self._former.remove(former)
            former.dismissed = True
            in_use = bool(former.running)
        if not in_use:
            engine.close()

    def close(self) -> None:
        """Close the engine, and those that it replaced, except where a call that does not return still
        uses it."""
        with self._condition:
            self._closed = True
            self._line.clear()
            self._condition.notify_all()
            idle = [each.engine for each in (self._loaded, *self._former) if not each.running]
            self._former.clear()
        for engine in idle:
            engine.close()

    def _line_up(self, call: _Call[Any]) -> None:
        with self._condition:
            others = sum(not waiting.gives_way for waiting in self._line)
            self._line.insert(len(self._line) if call.gives_way else others, call)
            self._add_thread()
            self._condition.notify()

    def _add_thread(self) -> None:
        """Start a thread if calls wait for one and a slot has none."""
        loaded = self._loaded
        info = loaded.engine.info
        if loaded.threads - len(loaded.running) < len(self._line) and loaded.threads < info.slots:
            loaded.threads += 1
            name = f"{info.name} slot {loaded.threads}"
            SlotThread(target=self._serve, args=(loaded,), name=name, daemon=True).start()

    def _leave(self, call: _Call[Any]) -> None:
        with self._condition:
            if call in self._line:
                self._line.remove(call)

    def _serve(self, loaded: _Loaded[E]) -> None:
        while (call := self._next_call(loaded)) is not None:
            call.compute(loaded.engine)
            with self._condition:
                loaded.running.remove(call)
                is_last = loaded.dismissed and not loaded.running
            del call  # or an idle slot keeps a whole session in memory
            if is_last:
                loaded.engine.close()

    def _next_call(self, loaded: _Loaded[E]) -> _Call[Any] | None:
        """Wait for a call. None: the thread is to end, since its engine was replaced or closed."""

        def is_over() -> bool:
            return self._closed or self._loaded is not loaded

        with self._condition:
            self._condition.wait_for(lambda: bool(self._line) or is_over())
            if is_over():
                loaded.threads -= 1
                return None
            call = self._line.popleft()
            loaded.running.append(call)
            return call

    def _too_late(self, started: bool, after_s: float) -> EngineError:
        name, slots = self.engine.info.name, self.engine.info.slots
        if started:
            return EngineError(f"{name} did not respond for {after_s:g} s", code="timeout")
        return EngineBusy(
            f"{name} is busy: its {slots} slot(s) were taken for {after_s:g} s, "
            f"{self.stuck} of them by calls that never returned"
        )
