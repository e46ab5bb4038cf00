"""The web application: the page and every route, with the headers that keep a browser safe."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import RedirectResponse

from connections.access.authenticator import Authenticator
from connections.access.client_registry import ClientRegistry
from connections.access.http_errors import refuse, refuse_route
from connections.openai_audio.routes import audio_routes
from connections.realtime.calls_api import calls_routes
from connections.realtime.client_secrets_api import client_secrets_routes
from connections.realtime.ice_server import IceServer
from connections.web.conversation_api import conversation_routes
from connections.web.info_api import info_routes
from connections.web.offers_api import offers_routes
from connections.web.operator_api import operator_routes
from connections.web.page_files import PageFiles
from engines.upgrades import Upgrades
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


class SecurityHeaders:
    """Adds those of `SECURITY_HEADERS` that a response lacks, as bare ASGI: FastAPI's own kind of
    middleware would end a stream that fails as if it were complete."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app
        self._headers = [
            (name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()
        ]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_secured(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                named = {name for name, _ in headers}
                message["headers"] = [*headers, *(one for one in self._headers if one[0] not in named)]
            await send(message)

        await self._app(scope, receive, send_secured if scope["type"] == "http" else send)


def build_app(
    registry: ClientRegistry,
    authenticator: Authenticator,
    ice: Sequence[IceServer],
    upgrades: Upgrades | None = None,
) -> FastAPI:
    """The application: everything that is served on the one port."""
    app = FastAPI(title="speech to speech", openapi_url=None)
    app.add_exception_handler(ProtocolError, refuse)
    for status in (404, 405):
        app.add_exception_handler(status, refuse_route)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=[*authenticator.credentials.origins],
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        expose_headers=["Location", "Retry-After"],
    )
    app.add_middleware(SecurityHeaders)
    app.include_router(operator_routes(authenticator, registry))
    app.include_router(info_routes(authenticator, registry.capabilities, upgrades))
    app.include_router(audio_routes(authenticator, registry))
    if upgrades is not None:
        app.include_router(offers_routes(authenticator, upgrades))
    app.include_router(conversation_routes(authenticator, registry))
    app.include_router(client_secrets_routes(authenticator, authenticator.credentials.secrets))
    app.include_router(calls_routes(authenticator, registry, ice))

    @app.get("/")
    async def page() -> RedirectResponse:
        return RedirectResponse("/web/")

    app.mount("/web", PageFiles(PAGE))
    return app
