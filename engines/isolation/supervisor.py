"""Supervisor: keeps a worker running; one that died is started again."""

import logging
import random
import threading
from collections.abc import Generator
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

from engines.isolation.process import WorkerProcess
from pipeline.errors import EngineError, UserError
from pipeline.turn import CancelToken

logger = logging.getLogger(__name__)

START_S = 3600.0
"""Time for an engine to load, since it may download its model first."""

WAIT_S = 10.0
"""Time that a call waits for a worker that is being started; as long as for a slot."""

FIRST_PAUSE_S, MAX_PAUSE_S = 0.5, 60.0
"""Pause before the second start in a row, doubled each time; the first follows at once."""


def pause_s(failures: int, chance: float) -> float:
    """The pause before a start after `failures` failed ones; `chance`, from 0 to 1, takes up to half of
    it away, so that programs on one machine do not all start at once."""
    if failures == 0:
        return 0.0
    return float(min(MAX_PAUSE_S, FIRST_PAUSE_S * 2 ** (failures - 1)) * (1 - chance / 2))


class Supervisor:
    """Supervises the worker of one engine; `states` is its "ready" frame. Raises `UserError` if the
    engine does not load."""

    def __init__(
        self,
        name: str,
        python: str,
        foreign: tuple[str, ...],
        start: dict[str, Any],
        *,
        start_s: float = START_S,
        wait_s: float = WAIT_S,
    ) -> None:
        self._name = name
        self._launching = name, python, foreign, start
        self._start_s = start_s
        self._wait_s = wait_s
        self._failures = 0
        """Number of starts since a call was last served to its end."""
        self._closed = threading.Event()
        self._condition = threading.Condition()
        self._worker: WorkerProcess | None = None
        self.states = self._start()

    @property
    def pid(self) -> int | None:
        """Process id of the current worker."""
        worker = self._worker
        return worker.pid if worker else None

    def stream(
        self, method: str, given: tuple[Any, ...], cancel: CancelToken
    ) -> Generator[Any, None, None]:
        """Yield the outputs of the engine. Raises `EngineError`."""
        worker = self.living(cancel)
        if worker is not None:
            yield from self.stream_on(worker, method, given, cancel)

    def living(self, cancel: CancelToken) -> WorkerProcess | None:
        """Wait for a living worker; None when `cancel` was raised first. Raises `EngineError`."""
        with cancel.on_cancel(self._wake), self._condition:
            self._condition.wait_for(
                lambda: self._lives() or cancel.cancelled or self._closed.is_set(), self._wait_s
            )
            if cancel.cancelled:
                return None
            if self._worker is None:
                raise self._absent()
            return self._worker

    def stream_on(
        self, worker: WorkerProcess, method: str, given: tuple[Any, ...], cancel: CancelToken | None
    ) -> Generator[Any, None, None]:
        """Like `stream`, on this worker; `EngineError` when it has died."""
        yield from worker.stream(method, given, cancel)
        if worker.died is None:
            self._failures = 0

    def ask(self, method: str, given: tuple[Any, ...]) -> None:
        """Ask about the engine, which takes no time. Raises `EngineError`."""
        if (worker := self._worker) is None:
            raise self._absent()
        worker.ask(method, given)

    def close(self) -> None:
        """End the worker, and start no other."""
        self._closed.set()
        with self._condition:
            worker, self._worker = self._worker, None
            self._condition.notify_all()
        if worker is not None:
            worker.close()

    def _lives(self) -> bool:
        return self._worker is not None and self._worker.died is None

    def _absent(self) -> EngineError:
        state = "is closed" if self._closed.is_set() else "broke down and is being started again"
        return EngineError(f"{self._name} {state}", code="engine_died")

    def _wake(self) -> None:
        with self._condition:
            self._condition.notify_all()

    def _start(self) -> dict[str, Any]:
        """Start a worker and wait until it is ready. Raises `UserError`."""
        worker = WorkerProcess(*self._launching, self._died)
        try:
            states = worker.ready.result(self._start_s)
        except FutureTimeoutError:
            worker.kill()
            raise UserError(f"{self._name} was not ready within {self._start_s:.0f} s") from None
        with self._condition:
            if worker.died is not None:
                raise UserError(str(worker.died))
            if not self._closed.is_set():
                self._worker = worker
                self._condition.notify_all()
                return states
        worker.close()
        raise UserError(f"{self._name} is closed")

    def _died(self, worker: WorkerProcess) -> None:
        """Start again, unless the worker never became ready: `_start` reports that."""
        with self._condition:
            if worker is not self._worker or self._closed.is_set():
                return
            self._worker = None
        logger.error("%s; it is being restarted", worker.died)
        threading.Thread(target=self._start_again, name=f"{self._name} restart", daemon=True).start()

    def _start_again(self) -> None:
        while not self._closed.wait(pause_s(self._failures, random.random())):
            self._failures += 1
            try:
                self._start()
            except UserError as error:
                logger.error("%s", error)
            else:
                return
