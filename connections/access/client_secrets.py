"""ClientSecrets: what lets a browser in for some minutes, with the session that was meant for it."""

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from pipeline.errors import ProtocolError

PREFIX = "ek_"
"""As those of OpenAI begin: its client for browsers takes such a key there, and no other, unasked."""

MOST = 1000
"""That may live at once: sixteen for each of the sixty sessions that a server takes by default."""


class ClientSecrets:
    """Who has the token gives them to those who shall not know it. Each opens as many sessions as one
    likes until it expires; sessions that were opened go on.

    Only hashes are kept. Used on the thread of the server.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[bytes, tuple[float, str]] = {}
        """Hash ▶ when it expires, and its session in JSON, which nobody can change by accident."""

    def issue(self, session: Mapping[str, Any], lifetime_s: float) -> tuple[str, int]:
        """A new one, and when it expires, in seconds since 1970.

        Raises `ValueError` where the session has what JSON has not, `ProtocolError` where too many live.
        """
        text = json.dumps(session, allow_nan=False)
        now = self._clock()
        self._kept = {hashed: kept for hashed, kept in self._kept.items() if kept[0] > now}
        if len(self._kept) >= MOST:
            raise ProtocolError(f"expected fewer client secrets, {MOST} live; let some expire", "full")
        value = PREFIX + secrets.token_urlsafe(32)
        self._kept[_hash(value)] = now + lifetime_s, text
        return value, int(time.time() + lifetime_s)

    def find(self, value: str) -> dict[str, Any] | None:
        """The session that was meant for its bearer, a copy; None: it has expired, or never was."""
        expires, text = self._kept.get(_hash(value), (0.0, ""))
        session: dict[str, Any] | None = json.loads(text) if expires > self._clock() else None
        return session


def _hash(value: str) -> bytes:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()
