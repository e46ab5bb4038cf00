"""WorkerProcess: one process of a worker, seen from the program."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias

from engines.isolation import codec, framing
from pipeline.errors import EngineBusy, EngineError, Unavailable, UserError
from pipeline.shared_engine import STALL_S
from pipeline.turn import CancelToken

CLOSE_S = 2.0
"""Time for a worker to close its engine; then it is killed."""

ASK_S = 2.0
"""Time to wait for an answer about the engine; others may wait for the asker."""

START = Path(__file__).with_name("start.py")

Event: TypeAlias = tuple[dict[str, Any], bytes | bytearray]
"""A frame of a call: an output, or its end."""

_SIGNALS = {number.value: number.name for number in signal.Signals}

_CANCELLED: Event = {"is": "cancelled"}, b""


class WorkerProcess:
    """One worker process. Its engine loads at once; `ready` will hold its "ready" frame, or a
    `UserError`. `on_died` is called when it ends by itself, on the thread that reads from it."""

    def __init__(
        self,
        name: str,
        python: str,
        foreign: tuple[str, ...],
        start: dict[str, Any],
        on_died: Callable[["WorkerProcess"], None],
    ) -> None:
        self._name = name
        self.ready: Future[dict[str, Any]] = Future()
        self.died: EngineError | None = None
        """The reason why calls are no longer taken."""
        self._on_died = on_died
        self._closing = False
        self._over = threading.Event()
        self._calls: dict[int, SimpleQueue[Event]] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._outbox: SimpleQueue[Event | None] = SimpleQueue()
        lifeline, self._lifeline = os.pipe() if sys.platform == "linux" else (-1, -1)
        try:
            self._process = subprocess.Popen(
                [python, "-P", str(START), str(lifeline), *foreign],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=(lifeline,) if lifeline >= 0 else (),
                process_group=0 if os.name == "posix" else None,  # Ctrl-C is meant for the program
            )
        except OSError as error:
            self._close_lifeline()
            raise UserError(f"{python} cannot be run: {error.strerror}; reinstall it") from error
        finally:
            if lifeline >= 0:
                os.close(lifeline)
        self._send({"do": "start", **start})
        for work in (self._read, self._write):
            threading.Thread(target=work, name=f"worker {self._process.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def stream(
        self, method: str, given: tuple[Any, ...], cancel: CancelToken | None
    ) -> Generator[Any, None, None]:
        """Yield the outputs of the engine. If the caller stops early, wait for the engine to end: until
        then the slot is taken. An engine that does not end for `STALL_S` is killed; without a token, one
        that gives no output for as long."""
        number, events = self._begin(method, given)
        silence_s = STALL_S if cancel is None else None
        cancel = cancel or CancelToken()
        ended = False
        try:
            with cancel.on_cancel(lambda: self._stop(number, events)):
                while True:
                    header, samples = self._next(events, silence_s)
                    if header["is"] != "output" or cancel.cancelled:
                        break
                    yield codec.unpack(header["value"], samples)
            ended = header["is"] == "end"
        finally:
            if not ended:
                self._stop(number, events)
                self._wait_for_end(events)
            del self._calls[number]
        if ended:
            self._raise_error(header)

    def ask(self, method: str, given: tuple[Any, ...]) -> None:
        """Call a method that returns nothing but may raise `EngineError`, and takes no slot."""
        number, events = self._begin(method, given)
        try:
            while True:
                header, _ = events.get(timeout=ASK_S)
                if header["is"] == "end":
                    break
        except Empty:
            raise EngineError(f"{self._name} gave no answer for {ASK_S:.0f} s", "timeout") from None
        finally:
            del self._calls[number]
        self._raise_error(header)

    def forget(self, stream: int) -> None:
        """Forget a stream, which frees its state. Does not wait, and takes no lock: the garbage
        collector may call this on any thread at any moment."""
        if self.died is None:
            self._send({"do": "forget", "stream": stream})

    def close(self) -> None:
        """Close the engine and end the process; kill it if it does not end."""
        self._closing = True
        self._send({"do": "close"})
        if not self._over.wait(CLOSE_S):
            self.kill()
            self._over.wait(CLOSE_S)

    def kill(self) -> None:
        """End it now; calls get an `EngineError`."""
        self._process.kill()

    def _begin(self, method: str, given: tuple[Any, ...]) -> tuple[int, SimpleQueue[Event]]:
        events: SimpleQueue[Event] = SimpleQueue()
        with self._lock:
            if self.died is not None:
                raise self.died
            number = next(self._numbers)
            self._calls[number] = events
        packed, body = codec.pack(given)
        self._send({"do": "call", "id": number, "method": method, "given": packed}, body)
        return number, events

    def _raise_error(self, end: dict[str, Any]) -> None:
        """Raise the error of the engine, if there was one."""
        if end.get("code") == "busy":
            raise EngineBusy(end["sentence"])
        if "sentence" in end:
            raise EngineError(end["sentence"], end["code"])
        if "error" in end:
            raise EngineError(f"{self._name} failed unexpectedly ({end['error']})", "internal_error")

    def _stop(self, number: int, events: SimpleQueue[Event]) -> None:
        """Cancel in the worker, and wake the thread that waits for its outputs."""
        self._send({"do": "cancel", "id": number})
        events.put(_CANCELLED)

    def _next(self, events: SimpleQueue[Event], silence_s: float | None) -> Event:
        """The next output or the end of a call. A process that is silent for too long is killed."""
        try:
            return events.get(timeout=silence_s)
        except Empty:
            self.kill()
            return events.get()

    def _wait_for_end(self, events: SimpleQueue[Event]) -> None:
        deadline = time.monotonic() + STALL_S
        while True:
            try:
                header, _ = events.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                self.kill()
                self._over.wait(CLOSE_S)
                return
            if header["is"] == "end":
                return

    def _send(self, header: dict[str, Any], body: bytes = b"") -> None:
        self._outbox.put((header, body))

    def _write(self) -> None:
        """Write on a thread of its own: a busy worker may not read at once, and `cancel` must not
        wait."""
        assert self._process.stdin is not None
        try:
            with self._process.stdin as pipe:
                while (frame := self._outbox.get()) is not None:
                    framing.write(pipe, *frame)
        except OSError:  # it died; the thread that reads notices
            pass

    def _read(self) -> None:
        assert self._process.stdout is not None
        why = ""
        try:
            with self._process.stdout as pipe:
                while True:
                    header, body = framing.read(pipe)
                    match header["is"]:
                        case "ready":
                            self.ready.set_result(header)
                        case "failed":
                            self.ready.set_exception(self._not_started(header))
                        case "lost":
                            why = "it lost its device"
                        case _ if events := self._calls.get(header["id"]):
                            events.put((header, body))
        except EOFError:
            pass
        except framing.NoFrame as error:
            why = str(error)
        self._end(why)

    def _end(self, why: str) -> None:
        """Clean up after the process has ended."""
        self._process.kill()  # no effect if it is ending
        code = self._process.wait()
        why = why or (_SIGNALS.get(-code, f"signal {-code}") if code < 0 else f"exit code {code}")
        with self._lock:
            self.died = EngineError(f"the process of {self._name} ended ({why})", "engine_died")
            calls = list(self._calls.values())
        if not self._closing:
            self._on_died(self)
        end = {"is": "end", "sentence": str(self.died), "code": self.died.code}
        for events in calls:
            events.put((end, b""))
        if not self.ready.done():
            self.ready.set_exception(UserError(f"{self.died} before it was ready"))
        self._outbox.put(None)
        self._close_lifeline()
        self._over.set()

    def _close_lifeline(self) -> None:
        if self._lifeline >= 0:
            os.close(self._lifeline)

    def _not_started(self, header: dict[str, Any]) -> UserError:
        if "sentence" in header:
            return (Unavailable if header["unavailable"] else UserError)(header["sentence"])
        return UserError(f"{self._name} could not be loaded ({header['error']}); the traceback is above")
