"""PaceLimit: refuses audio that comes much faster than it can have been spoken."""

from connections.access.rate_limit import FLOOD_S
from pipeline.errors import ProtocolError


class PaceLimit:
    """Compares the audio that a client has sent with the time that has passed since `now`."""

    def __init__(self, now: float) -> None:
        self._since = now
        self._sent_s = 0.0

    def take(self, seconds: float, now: float) -> None:
        """Count `seconds` of audio. Raises `ProtocolError` beyond `FLOOD_S` ahead of real time."""
        self._sent_s += seconds
        if self._sent_s > now - self._since + FLOOD_S:
            raise ProtocolError("expected audio at the pace of speech, got much more", "flood")
