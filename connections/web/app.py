"""The web application: the page, the WebSocket, and the routes for operators."""

from collections.abc import Sequence
from pathlib import Path

from fastapi import FastAPI, WebSocket
from fastapi.middleware.cors import CORSMiddleware
from fastapi.requests import Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from connections.access.authenticator import Authenticator, address_of
from connections.access.client_registry import Client, ClientRegistry
from connections.access.http_errors import refuse
from connections.realtime.calls_api import calls_routes
from connections.realtime.client_secrets_api import client_secrets_routes
from connections.realtime.ice_server import IceServer
from connections.web.messages import describe
from connections.web.websocket_client import WebSocketClient
from connections.web.websocket_connection import WebSocketConnection
from pipeline.audio import RATES_HZ
from pipeline.errors import ProtocolError

PAGE = Path(__file__).parents[2] / "web"

SECURITY_HEADERS = {  # 'self' holds for a WebSocket too, since Chrome 71 and Safari 16
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "microphone=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}

PROTOCOL = "s2s"
REALTIME_PROTOCOL = "realtime"


def build_app(
    registry: ClientRegistry, authenticator: Authenticator, ice: Sequence[IceServer]
) -> FastAPI:
    """The application: everything that is served on the one port."""
    app = FastAPI(title="speech to speech", openapi_url=None)
    app.add_exception_handler(ProtocolError, refuse)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=[*authenticator.credentials.origins],
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        expose_headers=["Location", "Retry-After"],
    )
    app.include_router(client_secrets_routes(authenticator, authenticator.credentials.secrets))
    app.include_router(calls_routes(authenticator, registry, ice))

    @app.middleware("http")
    async def secure(request: Request, call_next) -> Response:  # type: ignore[no-untyped-def]
        response: Response = await call_next(request)
        response.headers.update(SECURITY_HEADERS)
        return response

    @app.get("/health")
    async def health() -> dict[str, str]:
        """Report that the process is alive."""
        return {"status": "ok"}

    @app.get("/ready")
    async def ready() -> JSONResponse:
        """Readiness to accept new conversations. The engines were loaded before the port was served."""
        return JSONResponse({"ready": registry.has_room}, 200 if registry.has_room else 503)

    @app.get("/v1/sessions")
    async def sessions(request: Request) -> JSONResponse:
        """The current sessions."""
        authenticator.admit(request, by_token=True)
        return JSONResponse({"sessions": registry.overview()})

    @app.get("/v1/voices")
    async def voices(request: Request) -> JSONResponse:
        """The values of the setting `voice`."""
        authenticator.admit(request)
        return JSONResponse({"voices": registry.capabilities.voices})

    @app.get("/metrics")
    async def metrics(request: Request) -> Response:
        """The metrics, for Prometheus."""
        authenticator.admit(request, by_token=True)
        return Response(registry.metrics.page(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    @app.get("/")
    async def page() -> RedirectResponse:
        return RedirectResponse("/web/")

    @app.websocket("/ws")
    async def talk(websocket: WebSocket, rate: int = 24000, duplex: str = "full", key: str = "") -> None:
        def find() -> Client:
            grant = authenticator.admit(websocket, registry.grant_of(key))
            if rate not in RATES_HZ or duplex not in ("full", "half"):
                raise ProtocolError("expected a rate from 8000 to 48000, and duplex=full or half")
            if key:
                return registry.resume(key)
            client = WebSocketClient(rate, full_duplex=duplex == "full")
            return registry.register(client, address_of(websocket), grant)

        await WebSocketConnection(websocket, registry, describe).talk(find, PROTOCOL, again=bool(key))

    @app.websocket("/v1/realtime")
    async def talk_realtime(websocket: WebSocket) -> None:
        from connections.realtime import client as realtime  # see `WebSocketServer.run`

        def find() -> Client:
            grant = authenticator.admit(websocket)
            client = realtime.RealtimeClient(grant.session)
            return registry.register(client, address_of(websocket), grant)

        connection = WebSocketConnection(websocket, registry, realtime.describe)
        await connection.talk(find, REALTIME_PROTOCOL, again=False)

    app.mount("/web", StaticFiles(directory=PAGE, html=True))
    return app
