"""ClientSecrets: keys that admit a browser for some minutes, each with its session's configuration."""

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from pipeline.errors import ProtocolError

PREFIX = "ek_"
"""The prefix of OpenAI's client secrets, the only keys that its client for browsers accepts unasked."""

MAX_SECRETS = 1000
"""Secrets valid at once: sixteen for each of the sixty sessions that a server allows by default."""


class ClientSecrets:
    """Keys for clients that must not know the token; a program that knows it requests them. Each opens
    any number of sessions until it expires; sessions that are open by then go on.

    Only hashes are kept. Used on the thread of the server.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[bytes, tuple[float, str]] = {}
        """Hash ▶ expiry on `clock`, and the session as JSON, so that nothing changes it by accident."""

    def issue(self, session: Mapping[str, Any], lifetime_s: float) -> tuple[str, int]:
        """A new secret, and its expiry in seconds since 1970.

        Raises `ValueError` if the session cannot be written as JSON, `ProtocolError` if too many are
        valid.
        """
        text = json.dumps(session, allow_nan=False)
        now = self._clock()
        self._kept = {hashed: kept for hashed, kept in self._kept.items() if kept[0] > now}
        if len(self._kept) >= MAX_SECRETS:
            raise ProtocolError(
                f"{MAX_SECRETS} client secrets are valid already; wait until some expire", "full"
            )
        value = PREFIX + secrets.token_urlsafe(32)
        self._kept[hash_of(value)] = now + lifetime_s, text
        return value, int(time.time() + lifetime_s)

    def find(self, value: str) -> dict[str, Any] | None:
        """A copy of the session of this secret; None: it has expired, or never existed."""
        expires, text = self._kept.get(hash_of(value), (0.0, ""))
        session: dict[str, Any] | None = json.loads(text) if expires > self._clock() else None
        return session


def hash_of(value: str) -> bytes:
    """The SHA-256 of a token or a secret, for keeping and comparing."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()
