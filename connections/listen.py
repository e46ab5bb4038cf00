"""Ports, taken before the engines are loaded."""

import errno
import os
import socket
from typing import Any

from pipeline.errors import UserError


def listen(flag: str, host: str, port: int) -> socket.socket:
    """Take the port, and let clients connect, who wait until they are served. Raises `UserError`."""
    taken = take_port(flag, host, port)
    open_port(taken, flag, host)
    return taken


def open_port(taken: socket.socket, flag: str, host: str) -> None:
    """Let clients connect to a port that was taken. Raises `UserError` if another program, which took it
    at the same time, has opened it first."""
    try:
        taken.listen()
    except OSError as error:
        raise UserError(_in_words(error, flag, host, taken.getsockname()[1])) from error


def take_port(flag: str, host: str, port: int) -> socket.socket:
    """Take the port now, so that a busy one is reported before engines are loaded; clients are refused
    until it is opened. Raises `UserError`.

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
        return _bound(family, address[:2])
    except OSError as error:
        raise UserError(_in_words(error, flag, host, port)) from error
    except UnicodeError as error:
        raise UserError(f"--{flag}host: expected the name of a host, got {host!r}") from error


def _bound(family: int, address: tuple[Any, ...]) -> socket.socket:
    taken = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere the option would let two programs have the port
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        taken.bind(address)
    except OSError:
        taken.close()
        raise
    return taken


def _in_words(error: OSError, flag: str, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use; is the program already running? Choose another: --{flag}port"
    if error.errno == errno.EACCES:
        return f"port {port} is not for every user; choose another: --{flag}port"
    reason = error.strerror or error
    advice = f"--{flag}host must be an address of this machine"
    return f"expected to listen on {host}:{port}, but {reason}; {advice}"
