"""ThreadManager: runs the stages of a pipeline, each in a thread of its own."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from pipeline.handler import BaseHandler

logger = logging.getLogger(__name__)


class ThreadManager:
    """Starts handlers from the last to the first, so that each finds the next one running, and stops
    them from the first to the last.

    `on_failed` is called by the thread of a handler that ends with an exception; `on_ended` once, by the
    last thread to end.
    """

    def __init__(
        self,
        handlers: Sequence[BaseHandler[Any]],
        on_failed: Callable[[BaseHandler[Any], Exception], None] | None = None,
        on_ended: Callable[[], None] | None = None,
    ) -> None:
        self.handlers = list(handlers)
        self._on_failed = on_failed
        self._on_ended = on_ended
        self._threads = [
            threading.Thread(target=self._run, args=(handler,), name=handler.name, daemon=True)
            for handler in self.handlers
        ]
        self._running = len(self._threads)
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start every thread; each counts as awake from here on."""
        for handler in self.handlers:
            handler.queue_in.activity.woke()
        for thread in reversed(self._threads):
            thread.start()

    def stop(self, timeout_s: float = 2.0) -> list[str]:
        """Stop now, without draining. Returns the names of the threads that did not end in time."""
        for handler in self.handlers:
            handler.stop_event.set()
            handler.queue_in.close()
        return self.join(timeout_s)

    def join(self, timeout_s: float | None = None) -> list[str]:
        """Wait for all threads to end. Returns the names of those that did not in time."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        for thread in self._threads:
            if thread is not threading.current_thread():
                left_s = None if deadline is None else max(0.0, deadline - time.monotonic())
                thread.join(left_s)
        return [thread.name for thread in self._threads if thread.is_alive()]

    def _run(self, handler: BaseHandler[Any]) -> None:
        try:
            handler.run()
        except Exception as error:
            logger.error("The %s stage ended with an error", handler.name)
            if self._on_failed is not None:
                self._on_failed(handler, error)
        finally:
            handler.queue_in.activity.sleeps()
            with self._lock:
                self._running -= 1
                last = self._running == 0
            if last and self._on_ended is not None:
                self._on_ended()
