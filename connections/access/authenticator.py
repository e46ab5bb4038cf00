"""Door: who may come in over HTTP and the WebSocket, and what they show there."""

from fastapi.requests import HTTPConnection

from connections.access.attempt_limiter import AttemptLimiter, network_of
from connections.access.credentials import Credentials, Grant
from pipeline.errors import ProtocolError

TOKEN_PROTOCOLS = ("s2s-token.", "openai-insecure-api-key.")
"""A browser cannot set a header, so the token comes as the name of a subprotocol beside that of the
conversation; the second is how OpenAI's clients say it."""


class Authenticator:
    """Asked by everything that is served and not for everybody."""

    def __init__(self, access: Credentials, attempts: AttemptLimiter) -> None:
        self.access = access
        self._attempts = attempts

    def admit(
        self, connection: HTTPConnection, earlier: Grant | None = None, *, by_token: bool = False
    ) -> Grant:
        """Who comes may come in. `earlier`: with which they came before, it counts though it has
        expired; `by_token`: a client secret is not enough. Raises `ProtocolError`."""
        client = network_of(address_of(connection))
        if client is not None:
            self._attempts.count(client)
        if not self.access.may_come_from(
            connection.headers.get("origin"), connection.headers.get("host")
        ):
            raise ProtocolError("expected a page of this server (see --allow_origins)", "unauthorized")
        token = _token(connection)
        grant = earlier if earlier and earlier.is_for(token) else self.access.grant(token)
        if grant is None:
            raise ProtocolError("expected a token", "unauthorized")
        if by_token and grant.session is not None:
            raise ProtocolError("expected a token, a client secret is not enough", "forbidden")
        return grant


def address_of(connection: HTTPConnection) -> str:
    """From which they come; behind a proxy that is trusted, what it says."""
    return connection.client.host if connection.client else ""


def _token(connection: HTTPConnection) -> str:
    """From the header, or from the subprotocols that a browser offers."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token
    offered: list[str] = connection.scope.get("subprotocols") or []
    for name in offered:
        for prefix in TOKEN_PROTOCOLS:
            if name.startswith(prefix):
                return name.removeprefix(prefix)
    return ""
