"""Speech in real time, for clients of servers that a test talks to."""

import contextlib
import threading
from collections.abc import Callable, Iterator

from websockets.exceptions import ConnectionClosed


@contextlib.contextmanager
def speaking(say: Callable[[], None]) -> Iterator[None]:
    """Say 20 ms, again and again, in real time, on another thread, until the block ends."""
    over = threading.Event()

    def speak() -> None:
        with contextlib.suppress(OSError, ConnectionClosed):
            while not over.wait(0.02):
                say()

    thread = threading.Thread(target=speak)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
