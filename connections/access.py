"""Access: who may talk to a server, and from where."""

import errno
import hmac
import ipaddress
import os
import socket
from urllib.parse import urlsplit

from connections.token_file import TokenFile
from pipeline.errors import UserError

TOKEN_VARIABLE, TOKEN_FILE_VARIABLE = "S2S_TOKEN", "S2S_TOKEN_FILE"


class Access:
    """The tokens of which clients must know one, where any is set; and the pages whose scripts may
    connect. Raises `UserError` where a file of tokens has none."""

    def __init__(
        self, token: str | None, token_file: str | None, *, insecure: bool, origins: str = ""
    ) -> None:
        self._token = token or os.environ.get(TOKEN_VARIABLE)
        self._file = _token_file(token_file)
        self._insecure = insecure
        self._origins = {origin.rstrip("/") for origin in origins.split()}

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

    def is_known(self, token: str) -> bool:
        """Whether this is one of the tokens, in a time that does not depend on where it differs, or
        from which; where none is set everybody is known."""
        tokens = [self._token] if self._token else []
        if self._file is not None:
            tokens += self._file.tokens()
        equal = [hmac.compare_digest(_bytes(token), _bytes(known)) for known in tokens]
        return any(equal) or not tokens

    def may_come_from(self, origin: str | None, host: str | None) -> bool:
        """Whether a page of `origin` may connect to us, whom it calls `host`. Only browsers tell where
        a page is from; without this any page a person looks at could talk to a server on their machine.
        """
        return origin is None or origin.rstrip("/") in self._origins or urlsplit(origin).netloc == host


def listen(flag: str, host: str, port: int) -> socket.socket:
    """Take the port now, so that a busy one is told before engines are loaded. Raises `UserError`."""
    try:
        family, *_, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        if family == socket.AF_INET6 and host == "localhost":
            family, address = socket.AF_INET, ("127.0.0.1", port)
        return socket.create_server(address[:2], family=family)
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


def _bytes(token: str) -> bytes:
    return token.encode("utf-8", "surrogatepass")
