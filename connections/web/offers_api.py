"""Routes for better parts: an operator's client begins one, follows it, and goes back."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter
from fastapi.requests import Request
from fastapi.responses import StreamingResponse

from connections.access.authenticator import Authenticator
from connections.base import tell_loop
from engines.offer_state import OfferState
from engines.upgrades import Upgrades
from pipeline.errors import EngineError, ProtocolError


def offers_routes(authenticator: Authenticator, upgrades: Upgrades) -> APIRouter:
    """The routes, for clients that may change the program."""
    routes = APIRouter()

    @routes.post("/v1/offers/{name}")
    async def begin(request: Request, name: str) -> StreamingResponse:
        """Fetch an offer and use it. Streams a line of JSON for each change, up to the last; a client
        that leaves stops nothing."""
        _expect_operator(authenticator, request)
        loop = asyncio.get_running_loop()
        changes: asyncio.Queue[OfferState] = asyncio.Queue()
        try:
            await asyncio.to_thread(
                upgrades.begin, name, lambda state: tell_loop(loop, changes.put_nowait, state)
            )
        except EngineError as error:
            raise ProtocolError(str(error), error.code) from error
        return StreamingResponse(_lines(changes), media_type="application/x-ndjson")

    @routes.post("/v1/offers/{name}/undo")
    async def undo(request: Request, name: str) -> dict[str, Any]:
        """Return to the part with which the program started."""
        _expect_operator(authenticator, request)
        try:
            return (await asyncio.to_thread(upgrades.undo, name)).plain()
        except EngineError as error:
            raise ProtocolError(str(error), error.code) from error

    return routes


def _expect_operator(authenticator: Authenticator, request: Request) -> None:
    if not authenticator.is_operator(request, authenticator.admit(request)):
        raise ProtocolError(
            "expected a client on the machine of the program, or one with its token", "forbidden"
        )


async def _lines(changes: "asyncio.Queue[OfferState]") -> AsyncIterator[str]:
    is_over = False
    while not is_over:
        state = await changes.get()
        is_over = state.is_final
        yield json.dumps(state.plain()) + "\n"
