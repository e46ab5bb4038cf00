"""Engine calls: work that waits for engines, on a thread of its own, for a request over HTTP."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import TypeVar

from fastapi.requests import Request

from connections.access.http_errors import BadParameter
from connections.base import tell_loop
from pipeline.error_report import error_event
from pipeline.errors import EngineBusy, EngineError, ProtocolError
from pipeline.shared_engine import SlotThread
from pipeline.turn import CancelToken

_FIELDS = {"unknown_voice": "voice", "nothing_to_say": "input"}
"""Code of an error that the request caused ▶ its field."""

T = TypeVar("T")


async def outputs(
    request: Request, stage: str, work: Callable[[CancelToken], Iterator[T]]
) -> AsyncGenerator[T, None]:
    """The outputs of ``work(cancel)``, until it ends or the client has gone, which cancels it.

    A call of the API is bounded, so what it has produced waits without a limit for a client that reads
    slowly. Raises `ProtocolError` for errors of the engine, which `stage` names.
    """
    loop, cancel = asyncio.get_running_loop(), CancelToken()
    arrived: asyncio.Queue[T | _End] = asyncio.Queue()

    def compute() -> None:
        error: Exception | None = None
        try:
            for output in work(cancel):
                tell_loop(loop, arrived.put_nowait, output)
        except Exception as raised:
            error = raised
        tell_loop(loop, arrived.put_nowait, _End(error))

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        cancel.cancel()

    watching = asyncio.create_task(watch())
    SlotThread(target=compute, name=f"api {stage}", daemon=True).start()
    try:
        while not isinstance(output := await arrived.get(), _End):
            yield output
        if output.error is not None:
            raise _for_client(stage, output.error) from output.error
    finally:
        cancel.cancel()
        watching.cancel()


class _End:
    """The last of the outputs."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error


def _for_client(stage: str, error: Exception) -> ProtocolError:
    """The error that the client gets; an unexpected one is logged."""
    if isinstance(error, ProtocolError):
        return error
    if isinstance(error, EngineBusy):
        return ProtocolError(str(error), "full")
    if isinstance(error, EngineError) and error.code in _FIELDS:
        return BadParameter(str(error), _FIELDS[error.code])
    event = error_event(stage, error, None)
    return ProtocolError(event.text, "engine_failed")
