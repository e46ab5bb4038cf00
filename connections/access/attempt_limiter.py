"""AttemptLimiter: limits how often a client may try to connect, with or without a valid token."""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from connections.access.rate_limit import RateLimit
from pipeline.errors import ProtocolError

MAX_CLIENTS = 10_000
"""Clients to remember, some 3 MB; beyond this number, those idle for longest are forgotten."""


class TooOften(ProtocolError):
    """Too many attempts by one client."""

    def __init__(self, retry_after_s: float) -> None:
        self.retry_after_s = math.ceil(retry_after_s)
        super().__init__(f"expected fewer attempts; try again in {self.retry_after_s} s", "too_often")


class AttemptLimiter:
    """Allows each client `per_minute` attempts. Used on the thread of the server."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._limits: OrderedDict[str, RateLimit] = OrderedDict()
        """The clients of the last minute, the most recent one last."""

    def count(self, client: str) -> None:
        """Count an attempt of this client. Raises `TooOften`."""
        now = self._clock()
        if client not in self._limits:
            self._limits[client] = RateLimit(self._per_minute / 60, self._per_minute, now)
        self._limits.move_to_end(client)
        wait_s = self._limits[client].take(now)
        self._forget(now)
        if wait_s:
            raise TooOften(wait_s)

    def _forget(self, now: float) -> None:
        """Drop clients that were idle for a minute: their bucket is full again."""
        while True:
            client, limit = next(iter(self._limits.items()))  # idle for longest
            if now - limit.asked_at < 60 and len(self._limits) <= MAX_CLIENTS:
                return
            del self._limits[client]


def network_of(address: str) -> str | None:
    """The network to count an address under; None: this machine itself, which is not limited.

    An IPv6 address counts by its first 64 bits, since one network has all the others (RFC 4291, 2.5.1).
    Everything that is not an address counts as one client.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if ip.is_loopback:
        return None
    return str(ip if ip.version == 4 else ipaddress.IPv6Address(int(ip) >> 64 << 64))
