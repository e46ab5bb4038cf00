"""Attempts: how often each client has tried to come in, whether or not they knew a token."""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from connections.access.rate_limit import RateLimit
from pipeline.errors import ProtocolError

MAX_CLIENTS = 10_000
"""That are remembered, some 3 MB; of more the longest absent are forgotten."""


class TooOften(ProtocolError):
    """A client tries again and again."""

    def __init__(self, retry_after_s: float) -> None:
        self.retry_after_s = math.ceil(retry_after_s)
        super().__init__(f"expected fewer attempts; try again in {self.retry_after_s} s", "too_often")


class AttemptLimiter:
    """Counts, for each client, up to `per_minute`. Used on the thread of the server."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._limits: OrderedDict[str, RateLimit] = OrderedDict()
        """Of the clients of the last minute; who came last is last."""

    def count(self, client: str) -> None:
        """They try to come in. Raises `TooOften`."""
        now = self._clock()
        if client not in self._limits:
            self._limits[client] = RateLimit(self._per_minute / 60, self._per_minute, now)
        self._limits.move_to_end(client)
        wait_s = self._limits[client].take(now)
        self._forget(now)
        if wait_s:
            raise TooOften(wait_s)

    def _forget(self, now: float) -> None:
        """Who has not come for a minute may try as often as anybody, so nothing is kept of them."""
        while True:
            client, limit = next(iter(self._limits.items()))  # the longest absent
            if now - limit.asked_at < 60 and len(self._limits) <= MAX_CLIENTS:
                return
            del self._limits[client]


def network_of(address: str) -> str | None:
    """Who is behind an address; None: this machine itself, for which nothing is counted.

    Of IPv6 the first 64 bits, since one network has all the others (RFC 4291, 2.5.1); what is no address
    is one client.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if ip.is_loopback:
        return None
    return str(ip if ip.version == 4 else ipaddress.IPv6Address(int(ip) >> 64 << 64))
