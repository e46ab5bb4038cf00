"""Connection: a source and destination of audio, as the program sees it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Protocol

from engines.upgrades import Upgrades
from pipeline.capabilities import Capabilities
from pipeline.clock import Clock
from pipeline.errors import EngineBusy, ProtocolError
from pipeline.session import Session
from pipeline.sink import Sink

logger = logging.getLogger(__name__)

CLOSE_S = 0.8
"""Time that sessions may take to end: Ctrl-C ends the program within a second."""


def tell_loop(loop: asyncio.AbstractEventLoop, callback: Callable[..., object], *args: object) -> None:
    """Call `callback` on the thread of the event loop; does nothing if the loop is closed."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(callback, *args)


@contextlib.contextmanager
def beginning_session() -> Iterator[None]:
    """Turn a failure within the block into a `ProtocolError` for the client; log its stack."""
    try:
        yield
    except ProtocolError:
        raise
    except EngineBusy as error:
        raise ProtocolError(str(error), "full") from error
    except Exception as error:
        logger.exception("a session could not be started")
        raise ProtocolError("the server could not start a session", "internal_error") from error


class OpenSession(Protocol):
    """Begins a conversation whose replies go to `sink`; `label` marks it in the program's output."""

    def __call__(self, sink: Sink, label: str, clock: Clock | None = None) -> Session: ...


class Connection(Protocol):
    """Created before the engines are loaded, so that a busy port or a missing file is reported at
    once."""

    def run(
        self,
        open_session: OpenSession,
        capabilities: Capabilities = Capabilities(),
        upgrades: Upgrades | None = None,
    ) -> int:
        """Serve until the end, or until Ctrl-C; returns the exit code. `capabilities` are those of the
        engines behind `open_session`, `upgrades` what may replace them."""
        ...
