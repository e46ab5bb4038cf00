"""Routes for operators: health, readiness, sessions, voices, metrics."""

from fastapi import APIRouter
from fastapi.requests import Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from connections.access.authenticator import Authenticator
from connections.access.client_registry import ClientRegistry


def operator_routes(authenticator: Authenticator, registry: ClientRegistry) -> APIRouter:
    """The routes; all but the first two check the client's credentials."""
    routes = APIRouter()

    @routes.get("/health")
    async def health() -> dict[str, str]:
        """Report that the process is alive."""
        return {"status": "ok"}

    @routes.get("/ready")
    async def ready() -> JSONResponse:
        """Readiness to accept new conversations. The engines were loaded before the port was served."""
        return JSONResponse({"ready": registry.has_room}, 200 if registry.has_room else 503)

    @routes.get("/v1/sessions")
    async def sessions(request: Request) -> JSONResponse:
        """The current sessions."""
        authenticator.admit(request, by_token=True)
        return JSONResponse({"sessions": registry.overview()})

    @routes.get("/v1/voices")
    async def voices(request: Request) -> JSONResponse:
        """The values of the setting `voice`."""
        authenticator.admit(request)
        return JSONResponse({"voices": registry.capabilities.voices})

    @routes.get("/metrics")
    async def metrics(request: Request) -> Response:
        """The metrics, for Prometheus."""
        authenticator.admit(request, by_token=True)
        return Response(registry.metrics.page(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return routes
