"""Authenticator: admits clients over HTTP and the WebSocket by the token that they send."""

from urllib.parse import urlsplit

from fastapi.requests import HTTPConnection

from connections.access.attempt_limiter import AttemptLimiter, network_of
from connections.access.credentials import Credentials, Grant, is_loopback
from pipeline.errors import ProtocolError

TOKEN_PROTOCOLS = ("s2s-token.", "openai-insecure-api-key.")
"""Prefixes of subprotocols that carry a token, since a browser cannot set a header for a WebSocket. The
second is the one OpenAI's clients use."""

_OF_A_PROXY = ("forwarded", "via", "x-forwarded-for", "x-real-ip")
"""Headers by which a proxy gives itself away. Another sign is HTTP/1.0, which nginx speaks unless it is
told otherwise; a proxy that shows neither counts as a client on this machine."""


class Authenticator:
    """Guards every route that is not public."""

    def __init__(self, credentials: Credentials, attempts: AttemptLimiter) -> None:
        self.credentials = credentials
        self._attempts = attempts

    def admit(
        self, connection: HTTPConnection, earlier: Grant | None = None, *, by_token: bool = False
    ) -> Grant:
        """Admit a client. `earlier`: its grant from before the connection dropped, valid even if the
        client secret has expired; `by_token`: a client secret is not enough. Raises `ProtocolError`."""
        client = network_of(address_of(connection))
        if client is not None:
            self._attempts.count(client)
        host = connection.headers.get("host")
        if not self.credentials.allows_host(host):
            raise ProtocolError(
                f"expected a name or an address of this machine as Host, got {host!r:.100}; if it is "
                "the server's, name it with --allow_origins, or set --token",
                "forbidden",
            )
        if not self.credentials.allows_origin(connection.headers.get("origin"), host):
            raise ProtocolError("expected a page of this server (see --allow_origins)", "unauthorized")
        token = _token(connection)
        grant = earlier if earlier and earlier.is_for(token) else self.credentials.grant(token)
        if grant is None:
            wrong = "that token is wrong" if token else "expected a token"
            raise ProtocolError(wrong, "unauthorized")
        if by_token and grant.session is not None:
            raise ProtocolError("expected a token; a client secret is not enough", "forbidden")
        return grant

    def is_operator(self, connection: HTTPConnection, grant: Grant) -> bool:
        """True if an admitted client may change the program: it knows the token; if none is set, it is
        on this machine. A client secret is never enough, a proxy on this machine is no user of it,
        and a page is one of this server only by a name that nobody else can point at this machine."""
        if grant.session is not None or self.credentials.wants_token:
            return grant.session is None
        local = network_of(address_of(connection)) is None
        try:
            name = urlsplit(f"//{connection.headers.get('host')}").hostname
        except ValueError:
            return False
        return local and is_loopback(name or "")


def address_of(connection: HTTPConnection) -> str:
    """The address of the client, as reported by the proxy if that is trusted. All clients of a proxy on
    this machine that is not trusted have the same, which is not that of this machine."""
    address = connection.client.host if connection.client else ""
    if network_of(address) is None and _is_proxied(connection):
        return f"proxy at {address}"
    return address


def _is_proxied(connection: HTTPConnection) -> bool:
    return connection.scope.get("http_version") == "1.0" or any(
        name in connection.headers for name in _OF_A_PROXY
    )


def _token(connection: HTTPConnection) -> str:
    """The token in the header, or in the subprotocols that a browser offers; empty if there is none."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token
    offered: list[str] = connection.scope.get("subprotocols") or []
    for name in offered:
        for prefix in TOKEN_PROTOCOLS:
            if name.startswith(prefix):
                return name.removeprefix(prefix)
    return ""
