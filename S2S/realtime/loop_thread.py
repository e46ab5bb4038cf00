"""LoopThread: an event loop on a thread of its own, which carries the sockets of all sessions."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """The thread starts at once and ends with `close`, or with the program."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def post(self, callback: Callable[..., object], *args: object) -> None:
        """Call `callback` on the thread, after all that was posted before; never waits. Does nothing if
        the loop is closed."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, *args)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` on the thread, and wait for its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        """End the thread; call this when its tasks have ended."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
