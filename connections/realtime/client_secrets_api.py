"""``POST /v1/realtime/client_secrets``, as OpenAI has it."""

from typing import Any, Literal

from fastapi import APIRouter
from fastapi.requests import Request
from pydantic import BaseModel, Field

from connections.access.authenticator import Authenticator
from connections.access.client_secrets import ClientSecrets
from connections.access.http_body import body_of
from connections.access.http_errors import BadParameter
from connections.access.http_json import understood

MAX_BODY = 1 << 16
"""Bytes: instructions of several pages, as over the WebSocket."""


class ExpiresAfter(BaseModel, extra="forbid"):
    """The lifetime of a client secret; its limits are OpenAI's."""

    anchor: Literal["created_at"] = "created_at"
    seconds: int = Field(default=600, ge=10, le=7200, strict=True)


class Wish(BaseModel, extra="forbid"):
    """The body of the request."""

    expires_after: ExpiresAfter = ExpiresAfter()
    session: dict[str, Any] = {"type": "realtime"}
    """Passed on unchanged to the session that the secret opens."""


def client_secrets_routes(authenticator: Authenticator, secrets: ClientSecrets) -> APIRouter:
    """The route that issues client secrets. It needs a token: one secret cannot be used to get
    another."""
    routes = APIRouter()

    @routes.post("/v1/realtime/client_secrets")
    async def issue(request: Request) -> dict[str, Any]:
        authenticator.admit(request, by_token=True)
        wish = understood(Wish, await body_of(request, MAX_BODY))
        try:
            value, expires_at = secrets.issue(wish.session, wish.expires_after.seconds)
        except ValueError as error:
            raise BadParameter("session: expected finite numbers", "session") from error
        return {"value": value, "expires_at": expires_at, "session": wish.session}

    return routes
