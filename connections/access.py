"""Access: who may talk to a server, and from where."""

import errno
import hmac
import ipaddress
import os
import socket
from urllib.parse import urlsplit

from pipeline.errors import UserError

TOKEN_VARIABLE = "S2S_TOKEN"


class Access:
    """A token that clients must know, where one is set; and the pages whose scripts may connect."""

    def __init__(self, token: str | None, *, insecure: bool, origins: str = "") -> None:
        self.token = token or os.environ.get(TOKEN_VARIABLE) or None
        self._insecure = insecure
        self._origins = {origin.rstrip("/") for origin in origins.split()}

    def expect_safe(self, flag: str, host: str) -> None:
        """Raise `UserError` where anybody could come in."""
        if not (self.token or self._insecure or _is_loopback(host)):
            raise UserError(
                f"--{flag} {host} can be reached from other machines, where anybody could talk "
                f"to your models; set --token (or {TOKEN_VARIABLE}), or say --insecure if you want that"
            )

    def is_known(self, token: str) -> bool:
        """Whether this is the token, in constant time; where none is set everybody is known."""
        return self.token is None or hmac.compare_digest(_bytes(token), _bytes(self.token))

    def may_come_from(self, origin: str | None, host: str | None) -> bool:
        """Whether a page of `origin` may connect to us, whom it calls `host`. Only browsers tell where
        a page is from; without this any page a person looks at could talk to a server on their machine.
        """
        return origin is None or origin.rstrip("/") in self._origins or urlsplit(origin).netloc == host


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


def _bytes(token: str) -> bytes:
    return token.encode("utf-8", "surrogatepass")
