"""A listening socket, taken before the engines are loaded."""

import errno
import socket

from pipeline.errors import UserError


def listen(flag: str, host: str, port: int) -> socket.socket:
    """Take the port now, so that a busy one is reported before engines are loaded. Raises `UserError`.

    `flag` is the prefix of the port's flags: "recv_" for --recv_host and --recv_port. Accepted
    connections inherit two options. Small messages are sent at once: a flush or a reply that waited for
    the client's acknowledgement came 20 to 40 ms late (asyncio does not set this for sockets of
    `socket.create_server`). And the system notices a client whose machine is gone, which would
    otherwise hold its session forever.
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
        raise UserError(_in_words(error, flag, host, port)) from error
    except UnicodeError as error:
        raise UserError(f"--{flag}host: expected the name of a host, got {host!r}") from error


def _in_words(error: OSError, flag: str, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use; is the program already running? Choose another: --{flag}port"
    if error.errno == errno.EACCES:
        return f"port {port} is not for every user; choose another: --{flag}port"
    reason = str(error.strerror or error).partition(" (while")[0]  # asyncio's, with the address
    advice = f"--{flag}host must be an address of this machine"
    return f"expected to listen on {host}:{port}, but {reason}; {advice}"
