"""``POST /v1/realtime/calls``, as OpenAI has it: the Realtime protocol over WebRTC."""

import asyncio
import contextlib
import importlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

from fastapi import APIRouter
from fastapi.requests import Request
from fastapi.responses import Response

from connections.access.authenticator import Authenticator, address_of
from connections.access.client_registry import ClientRegistry
from connections.base import CLOSE_S, beginning_session
from connections.realtime.ice_server import INSTALL, IceServer
from connections.realtime.offer import offer_of
from pipeline.errors import ProtocolError

PATH = "/v1/realtime/calls"


def calls_routes(
    authenticator: Authenticator, registry: ClientRegistry, ice: Sequence[IceServer]
) -> APIRouter:
    """The routes by which calls begin and end."""
    calls: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def until_all_have_ended(app: object) -> AsyncIterator[None]:
        """Let calls end before the loop does: aiortc hangs if the loop ends in the middle of one."""
        yield
        if calls:
            await asyncio.wait(calls, timeout=CLOSE_S)

    routes = APIRouter(lifespan=until_all_have_ended)

    @routes.post(PATH)
    async def begin(request: Request) -> Response:
        grant = authenticator.admit(request)
        offer = await offer_of(request)
        webrtc = await _load()
        wishes = [wish for wish in (grant.session, offer.session) if wish is not None]
        client = webrtc.WebRTCClient(wishes)
        with beginning_session():
            registry.register(client, address_of(request), grant)
        call = webrtc.Call(client, registry, ice)
        task = asyncio.create_task(call.run(offer.sdp))
        calls.add(task)
        task.add_done_callback(calls.discard)
        answer = await call.answer
        headers = {"Location": f"{PATH}/{client.key}"}
        return Response(answer, 201, headers, media_type="application/sdp")

    @routes.post(f"{PATH}/{{key}}/hangup")
    async def hang_up(request: Request, key: str) -> Response:
        authenticator.admit(request, registry.grant_of(key))
        registry.hang_up(key)
        return Response()

    return routes


async def _load() -> Any:
    """Import aiortc on a thread: it takes 0.1 to 0.4 s, during which other clients are talking."""
    try:
        return await asyncio.to_thread(importlib.import_module, "connections.realtime.webrtc")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "aiortc":
            raise
        text = f"WebRTC is not installed on this server; its operator can type: {INSTALL}"
        raise ProtocolError(text, "not_installed") from error
