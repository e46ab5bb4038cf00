"""Access: who may talk to a server, and from where."""

import errno
import hashlib
import hmac
import ipaddress
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from connections.access.client_secrets import PREFIX, ClientSecrets
from connections.access.token_file import TokenFile
from pipeline.errors import UserError

TOKEN_VARIABLE, TOKEN_FILE_VARIABLE = "S2S_TOKEN", "S2S_TOKEN_FILE"


@dataclass(frozen=True, slots=True)
class Grant:
    """That somebody may come in."""

    session: Mapping[str, Any] | None
    """What was configured for the bearer of a client secret; None: they know a token, or none is set."""
    shown: bytes = field(repr=False)
    """A hash of what they showed."""

    def is_for(self, token: str) -> bool:
        """Whether this is what they showed."""
        return hmac.compare_digest(_hash(token), self.shown)


class Credentials:
    """The tokens of which clients must know one, where any is set, and the client secrets that were
    issued; and the pages whose scripts may connect. Raises `UserError` where a file of tokens has none.
    """

    def __init__(
        self, token: str | None, token_file: str | None, *, insecure: bool, origins: str = ""
    ) -> None:
        self._token = token or os.environ.get(TOKEN_VARIABLE)
        self._file = _token_file(token_file)
        self.secrets = ClientSecrets()
        self._insecure = insecure
        self.origins = {origin.rstrip("/") for origin in origins.split()}
        """Pages elsewhere that may connect."""

    def expect_safe(self, flag: str, host: str) -> None:
        """Raise `UserError` where anybody could come in."""
        if not (self.wants_token or self._insecure or _is_loopback(host)):
            raise UserError(
                f"--{flag} {host} can be reached from other machines, where anybody could talk "
                f"to your models; set --token (or {TOKEN_VARIABLE}), or say --insecure if you want that"
            )

    @property
    def wants_token(self) -> bool:
        """Whether clients must know one."""
        return bool(self._token) or self._file is not None

    def grant(self, token: str) -> Grant | None:
        """Who shows this, a token or a client secret, may come in; None: they may not.

        A client secret that has expired opens nothing, though none be wanted: what was configured with
        it is gone.
        """
        if self._is_token(token):
            return Grant(None, _hash(token))
        if token.startswith(PREFIX):
            session = self.secrets.find(token)
            return None if session is None else Grant(session, _hash(token))
        return None if self.wants_token else Grant(None, _hash(token))

    def _is_token(self, token: str) -> bool:
        """In a time that does not depend on where it differs, or from which."""
        tokens = [self._token] if self._token else []
        if self._file is not None:
            tokens += self._file.tokens()
        return any([hmac.compare_digest(_hash(token), _hash(known)) for known in tokens])

    def may_come_from(self, origin: str | None, host: str | None) -> bool:
        """Whether a page of `origin` may connect to us, whom it calls `host`. Only browsers tell where
        a page is from; without this any page a person looks at could talk to a server on their machine.

        Whoever owns a name can make it lead to that machine (DNS rebinding): where no token is wanted a
        page is ours only by a name that leads nowhere else.
        """
        if origin is None or origin.rstrip("/") in self.origins:
            return True
        try:
            page = urlsplit(origin)
            ours_by_name = self.wants_token or self._insecure or _is_loopback(page.hostname or "")
        except ValueError:
            return False
        return page.netloc == host and ours_by_name


def listen(flag: str, host: str, port: int) -> socket.socket:
    """Take the port now, so that a busy one is told before engines are loaded. Raises `UserError`.

    What it accepts inherits that small messages are sent at once: a flush or an answer that waited for
    the client's acknowledgement came 20 to 40 ms late (asyncio does not see to it for sockets of
    `socket.create_server`); and that the system notices a client whose machine is gone, which would hold
    its session for ever.
    """
    try:
        family, *_, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        if family == socket.AF_INET6 and host == "localhost":
            family, address = socket.AF_INET, ("127.0.0.1", port)
        listening = socket.create_server(address[:2], family=family)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return listening
    except OSError as error:
        reason = error.strerror or error
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            advice = f"is the program running already? another port: --{flag}port"
        else:
            advice = f"--{flag}host must be an address of this machine"
        raise UserError(f"expected to listen on {host}:{port}, but {reason}; {advice}") from error
    except UnicodeError as error:
        raise UserError(f"--{flag}host: expected the name of a host, got {host!r}") from error


def _is_loopback(host: str) -> bool:
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


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
