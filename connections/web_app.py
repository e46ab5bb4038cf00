"""The web application: the page, the WebSocket, and what an operator wants to know."""

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import Any

from fastapi import FastAPI, WebSocket
from fastapi.requests import Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.websockets import WebSocketDisconnect, WebSocketState

from connections.client_secrets_api import client_secrets_routes
from connections.door import Door, address_of
from connections.guest import Guest
from connections.guests import Guests
from connections.http_errors import refuse
from connections.web_messages import encode
from connections.wire import RATES_HZ
from pipeline.errors import ProtocolError

logger = logging.getLogger(__name__)

PAGE = Path(__file__).parent.parent / "web"

CLOSED = {
    "half_sample": 1007, "bad_message": 1007, "flood": 1008, "unauthorized": 1008, "too_long": 1009,
    "internal_error": 1011, "full": 1013, "too_often": 1013, "ended": 1000, "gone": 4001,
    "replaced": 4002,
}  # fmt: skip
"""How the connection is closed after an error, by its code (RFC 6455; from 4000 on our own)."""

GONE = (WebSocketDisconnect, RuntimeError, OSError)
"""What comes of sending to a client who was quicker."""

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "microphone=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}

PROTOCOL = "s2s"


def build_app(guests: Guests, door: Door) -> FastAPI:
    """Everything that is served on the one port."""
    app = FastAPI(title="speech to speech", openapi_url=None)
    app.add_exception_handler(ProtocolError, refuse)
    app.include_router(client_secrets_routes(door, door.access.secrets))

    @app.middleware("http")
    async def secure(request: Request, call_next) -> Response:  # type: ignore[no-untyped-def]
        response: Response = await call_next(request)
        response.headers.update(SECURITY_HEADERS)
        return response

    @app.get("/health")
    async def health() -> dict[str, str]:
        """The process lives."""
        return {"status": "ok"}

    @app.get("/ready")
    async def ready() -> JSONResponse:
        """New conversations are taken; the engines were loaded before the port was served."""
        return JSONResponse({"ready": not guests.closing}, 503 if guests.closing else 200)

    @app.get("/v1/sessions")
    async def sessions(request: Request) -> JSONResponse:
        """Who is there."""
        door.admit(request, by_token=True)
        return JSONResponse({"sessions": guests.overview()})

    @app.get("/v1/voices")
    async def voices(request: Request) -> JSONResponse:
        """What may be chosen as `voice`."""
        door.admit(request)
        return JSONResponse({"voices": guests.voices})

    @app.get("/metrics")
    async def metrics(request: Request) -> Response:
        """For Prometheus."""
        door.admit(request, by_token=True)
        return Response(guests.metrics.page(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    @app.get("/")
    async def page() -> RedirectResponse:
        return RedirectResponse("/web/")

    @app.websocket("/ws")
    async def talk(websocket: WebSocket, rate: int = 24000, duplex: str = "full", key: str = "") -> None:
        await _talk(websocket, guests, door, rate, duplex, key)

    app.mount("/web", StaticFiles(directory=PAGE, html=True))
    return app


async def _talk(
    websocket: WebSocket, guests: Guests, door: Door, rate: int, duplex: str, key: str
) -> None:
    """One connection, from its beginning to its end."""
    offered = websocket.scope["subprotocols"]
    await websocket.accept(subprotocol=PROTOCOL if PROTOCOL in offered else None)
    try:
        grant = door.admit(websocket, guests.grant_of(key))
        if rate not in RATES_HZ or duplex not in ("full", "half"):
            raise ProtocolError("expected a rate from 8000 to 48000, and duplex=full or half")
        if key:
            guest = guests.welcome_back(key)
        else:
            guest = Guest(rate, full_duplex=duplex == "full")
            guests.welcome(guest, address_of(websocket), grant)
    except ProtocolError as error:
        _log_refusal(websocket, error)
        await _hang_up(websocket, error)
        return
    except Exception:
        logger.exception("a session could not be begun")
        trouble = ProtocolError("the server could not begin a session", "internal_error")
        await _hang_up(websocket, trouble)
        return
    await _Connection(websocket, guest, guests).serve(again=bool(key))


class _Connection:
    """Carries messages both ways between a WebSocket and its guest, until either has enough."""

    def __init__(self, websocket: WebSocket, guest: Guest, guests: Guests) -> None:
        self._websocket = websocket
        self._guest = guest
        self._guests = guests
        self._over: asyncio.Future[ProtocolError] = asyncio.get_running_loop().create_future()

    async def serve(self, *, again: bool) -> None:
        """Until either side hangs up."""
        self._guests.attached(self._guest, self._leave)
        self._guest.attach(again=again)
        tasks = [asyncio.create_task(work) for work in (self._send(), self._receive())]
        waited_for: list[asyncio.Future[Any]] = [*tasks, self._over]
        await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if not self._over.done():
            self._guest.detach()
            self._guests.dropped(self._guest)
            return
        error = self._over.result()
        if error.code == "ended":
            with contextlib.suppress(*GONE):
                await self._pass_on(self._guest.take_messages())  # the last words
        await _hang_up(self._websocket, error)

    def _leave(self, error: ProtocolError) -> None:
        if not self._over.done():
            self._over.set_result(error)

    async def _send(self) -> None:
        while True:
            await self._pass_on(await self._guest.next_messages())

    async def _pass_on(self, messages: list[str | bytes]) -> None:
        for message in messages:
            if isinstance(message, bytes):
                await self._websocket.send_bytes(message)
            else:
                await self._websocket.send_text(message)

    async def _receive(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                if message.get("code") == 1000:  # they hung up, and were not cut off
                    self._guests.left(self._guest)
                return
            data = message.get("bytes")
            try:
                if data is None:
                    self._guest.read(message["text"])
                else:
                    self._guest.hear(data)
            except ProtocolError as error:
                _log_refusal(self._websocket, error)
                await _hang_up(self._websocket, error)
                self._guests.left(self._guest)
                return


async def _hang_up(websocket: WebSocket, error: ProtocolError) -> None:
    """Say why, then close."""
    with contextlib.suppress(*GONE):
        if websocket.application_state is WebSocketState.CONNECTED:
            await websocket.send_text(encode("error", code=error.code, text=str(error)))
            await websocket.close(CLOSED[error.code])


def _log_refusal(websocket: WebSocket, error: ProtocolError) -> None:
    facts = {"peer": address_of(websocket), "code": error.code, "why": str(error)}
    logger.info("refused", extra=facts)
