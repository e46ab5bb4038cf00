"""HostNames: the names under which a server that wants no token answers."""

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

_PRIVATE = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
"""Ends of names that nobody can register, which only a private network resolves: RFC 6761, RFC 6762, the
one that ICANN keeps free (host.docker.internal), the one of many routers, RFC 8375."""


class HostNames:
    """Tells the names of this machine from those of others. The owner of a domain can point any name in
    it at this machine (DNS rebinding); a browser then takes this server for that website, and lets its
    pages read everything here. The `Host` of a request tells the name. `origins` are the pages that may
    connect; their names count as the machine's, since a proxy may serve it under one.
    """

    def __init__(self, origins: Iterable[str]) -> None:
        self._own = {socket.gethostname().lower()}
        self._own.update(name for origin in origins if (name := _name_in(origin)))

    def include(self, host: str | None) -> bool:
        """True if `host`, the header of a request, cannot be a website's: an address, a name without a
        dot or of a private network, one of this machine, or none, which no browser sends."""
        if not host:
            return True
        name = _name_in(f"//{host}")
        if name is None:
            return False
        return name in self._own or "." not in name or name.endswith(_PRIVATE) or _is_address(name)


def _name_in(address: str) -> str | None:
    """The name in a URL, in lower case and without the dot that may end it; None: it has none."""
    try:
        return (urlsplit(address).hostname or "").removesuffix(".") or None
    except ValueError:
        return None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
