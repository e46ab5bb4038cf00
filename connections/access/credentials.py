"""Credentials: the tokens, client secrets and origins that a server accepts."""

import hmac
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from connections.access.client_secrets import PREFIX, ClientSecrets, hash_of
from connections.access.host_names import HostNames
from connections.access.token_file import TokenFile
from pipeline.errors import UserError

TOKEN_VARIABLE, TOKEN_FILE_VARIABLE = "S2S_TOKEN", "S2S_TOKEN_FILE"


@dataclass(frozen=True, slots=True)
class Grant:
    """A client's permission to connect."""

    session: Mapping[str, Any] | None
    """The session of the client secret; None: the client knows a token, or none is set."""
    shown: bytes = field(repr=False)
    """A hash of the token or the client secret that it sent."""

    def is_for(self, token: str) -> bool:
        """True if this grant was given for `token`."""
        return hmac.compare_digest(hash_of(token), self.shown)


class Credentials:
    """The tokens, if any are set: a client must send one of them or an issued client secret. Also the
    pages whose scripts may connect. Raises `UserError` for a file of tokens that has none.
    """

    def __init__(
        self, token: str | None, token_file: str | None, *, insecure: bool, origins: str = ""
    ) -> None:
        self._token = token or os.environ.get(TOKEN_VARIABLE)
        self._file = _token_file(token_file)
        self.secrets = ClientSecrets()
        self._insecure = insecure
        self.origins = {origin.rstrip("/") for origin in origins.split()}
        """Origins, other than the server's own, of pages that may connect."""
        self._names = HostNames(self.origins)

    def expect_safe(self, flag: str, host: str) -> None:
        """Raise `UserError` if anyone could connect."""
        if not (self.wants_token or self._insecure or is_loopback(host)):
            raise UserError(
                f"--{flag} {host} can be reached from other machines, so anyone could talk to your "
                f"models; set --token (or {TOKEN_VARIABLE}), or add --insecure if you want that"
            )

    @property
    def wants_token(self) -> bool:
        """True if clients must send a token."""
        return bool(self._token) or self._file is not None

    @property
    def a_token(self) -> str | None:
        """One that is accepted; None: none is needed."""
        if self._token or self._file is None:
            return self._token or None
        return self._file.tokens()[0]

    def grant(self, token: str) -> Grant | None:
        """The grant for a token or a client secret; None: refuse the client.

        An expired client secret is refused even where no token is needed: its session is forgotten.
        """
        if self._is_token(token):
            return Grant(None, hash_of(token))
        if token.startswith(PREFIX):
            session = self.secrets.find(token)
            return None if session is None else Grant(session, hash_of(token))
        return None if self.wants_token else Grant(None, hash_of(token))

    def _is_token(self, token: str) -> bool:
        """Compare with every token, in a time that does not depend on the outcome."""
        tokens = [self._token] if self._token else []
        if self._file is not None:
            tokens += self._file.tokens()
        return any([hmac.compare_digest(hash_of(token), hash_of(known)) for known in tokens])

    def allows_host(self, host: str | None) -> bool:
        """True if a client may call this server `host`. A token proves enough, and with --insecure
        anyone may talk."""
        return self.wants_token or self._insecure or self._names.include(host)

    def allows_origin(self, origin: str | None, host: str | None) -> bool:
        """True if a page of `origin` may connect to this server, which it calls `host`.

        Only browsers send an origin. Without this check any page that a user visits could talk to a
        server on the user's machine.
        """
        if origin is None or origin.rstrip("/") in self.origins:
            return True
        try:
            return urlsplit(origin).netloc == host
        except ValueError:
            return False


def is_loopback(host: str) -> bool:
    """True if this name or address always is the machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _token_file(path: str | None) -> TokenFile | None:
    if path:
        return TokenFile(path, "--token_file")
    path = os.environ.get(TOKEN_FILE_VARIABLE)
    return TokenFile(path, TOKEN_FILE_VARIABLE) if path else None
