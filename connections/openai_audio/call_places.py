"""CallPlaces: limits the calls of the API that run at once."""

import contextlib
from collections import Counter
from collections.abc import Iterator

from connections.access.attempt_limiter import network_of
from connections.access.client_registry import ClientRegistry
from pipeline.errors import ProtocolError
from pipeline.session import SHUT_DOWN
from utils.threads import cores

MIN_PLACES = 2
"""A long recording on a machine with one core leaves a place for another call."""


class CallPlaces:
    """Allows as many calls as the machine has cores, since each decodes and detects speech on one, and
    no more than there may be conversations, in all and from one address; none while the machine barely
    keeps up with the conversations that it has. Used on the thread of the server.
    """

    def __init__(self, registry: ClientRegistry) -> None:
        self._registry = registry
        self._most = min(max(MIN_PLACES, cores()), registry.max_sessions)
        self._taken: Counter[str | None] = Counter()

    @contextlib.contextmanager
    def place(self, peer: str) -> Iterator[None]:
        """Hold a place until the block ends. Raises `ProtocolError` if there is none."""
        registry, network = self._registry, network_of(peer)
        if registry.closing:
            raise ProtocolError(SHUT_DOWN, "ended")
        if self._taken.total() >= self._most:
            raise ProtocolError(f"the server is full: {self._taken.total()} calls are running", "full")
        if network is not None and self._taken[network] >= registry.max_per_client:
            raise ProtocolError(
                f"expected at most {registry.max_per_client} calls at once from one address", "full"
            )
        if registry.is_busy:
            raise ProtocolError("the server is busy with conversations; try again soon", "full")
        self._taken[network] += 1
        try:
            yield
        finally:
            self._taken[network] -= 1
