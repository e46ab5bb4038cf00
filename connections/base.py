"""Connection: what a way in and out looks like to the command."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

from pipeline.capabilities import Capabilities
from pipeline.clock import Clock
from pipeline.session import Session
from pipeline.sink import Sink

CLOSE_S = 0.8
"""How long sessions may take to end: Ctrl-C ends the program within a second."""


def tell_loop(loop: asyncio.AbstractEventLoop, callback: Callable[..., object], *args: object) -> None:
    """Call `callback` on the thread of the event loop. One that is closed has nobody left to tell."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(callback, *args)


class OpenSession(Protocol):
    """Begins a conversation that is heard through `sink`; `label` names it where there are several."""

    def __call__(self, sink: Sink, label: str, clock: Clock | None = None) -> Session: ...


class Connection(Protocol):
    """Made before the engines are loaded, so that a busy port or a missing file is told at once."""

    def run(self, open_session: OpenSession, capabilities: Capabilities = Capabilities()) -> int:
        """Serve until the end, or until Ctrl-C; `can` is what they can do. The exit code."""
        ...
